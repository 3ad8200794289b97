/**
 * Feature maps in ONNX Runtime's blocked layout (NCHWc). On a CPU it keeps maps there as long as the operators are
 * convolutions, sums, products and nearest enlargements; comparisons, Where, Expand and ConvTranspose leave it, with a copy
 * on each side, which costs as much as they do. So these say the same in operators that stay.
 */
import { floatConstant } from '../../graph/constant.ts'
import type { Builder } from '../../graph/builder.ts'

export interface MapShape {
  readonly channels: number
  readonly height: number
  readonly width: number
}

/** Channels of a map [N, C, H, W] that the layout can hold; null for any other tensor. */
export function blockedChannels(build: Builder, name: string): number | null {
  const shape = build.shape(name)
  const channels = shape?.length === 4 ? shape[1] : null
  return typeof channels === 'number' && channels % 4 === 0 ? channels : null
}

/** The same where its extents are known too. */
export function blockedMap(build: Builder, name: string): MapShape | null {
  const channels = blockedChannels(build, name)
  const [, , height, width] = build.shape(name) ?? []
  return channels !== null && typeof height === 'number' && typeof width === 'number'
    ? { channels, height, width }
    : null
}

/** scale x + offset in every channel, written so that an activation behind it is fused. */
export function line(build: Builder, x: string, channels: number, scale: number, offset: number): string {
  const kernel = build.filled(scale, [channels, 1, 1, 1])
  return build.op('Conv', [x, kernel, build.filled(offset, [channels])], { group: channels })
}

/** x [N, C, H, W], each value repeated: [N, C, a H, b W]. */
export function repeated(
  build: Builder,
  x: string,
  { channels, height, width }: MapShape,
  [a, b]: readonly [number, number],
): string {
  const scales = build.constant(floatConstant([1, 1, a, b], [4]))
  const wide = build.op('Resize', [x, '', scales], {
    mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor',
  }) // prettier-ignore
  build.stateRows(wide, [channels, height * a, width * b])
  return wide
}

/**
 * x [N, C, H, W] at every a-th row and b-th column of [N, C, a H, b W], from the first or another one on, 0 between; null
 * where that cannot be said. `like` is a tensor of the model with the same N. The grid that makes the zeros is computed at run
 * time, as a product with a constant would leave the layout.
 */
export function spaced(
  build: Builder,
  x: string,
  like: string,
  map: MapShape,
  [a, b]: readonly [number, number],
  [firstRow, firstColumn]: readonly [number, number] = [0, 0],
): string | null {
  const { channels, height, width } = map
  const zero = build.zeroPerRow(like)
  if (zero === null) return null
  const grid = build.once(`grid ${channels} ${height} ${width} ${a} ${b} ${firstRow} ${firstColumn}`, () => {
    const places = new Float32Array(height * a * width * b)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++)
        places[(row * a + firstRow) * width * b + column * b + firstColumn] = 1
    const one = build.add(build.constant(floatConstant(places, [1, 1, height * a, width * b])), zero)
    return build.op('Conv', [one, build.filled(1, [channels, 1, 1, 1])])
  })
  return build.mul(repeated(build, x, map, [a, b]), grid)
}

/** A map [N, C, H, W] and the row and column of [N, C, a H, b W] where its first value stands. */
export interface PhaseMap {
  readonly name: string
  readonly at: readonly [number, number]
}

/** Maps side by side in one of [N, C, a H, b W], each as {@link spaced}; null where that cannot be said. */
export function interleaved(
  build: Builder,
  phases: readonly PhaseMap[],
  like: string,
  map: MapShape,
  strides: readonly [number, number],
): string | null {
  const wide = phases.map(({ name, at }) => spaced(build, name, like, map, strides, at))
  return wide.reduce((sum, one) => (sum === null || one === null ? null : build.add(sum, one)))
}
