/**
 * The gradient of a max pooling over rectified values, in operators that keep the blocked layout (blocked.ts). Its own
 * argmax and a scatter leave it, and take as long as the dearest convolutions of a small network.
 *
 * A window's maximum is the maximum down its columns of the maxima along its rows, and its first maximum (row by row) lies in
 * the first row that attains it, where it is the first. So the gradient passes two poolings of one axis each. Along an axis
 * the cotangent is handed from place to place of the window: the first whose value is the maximum keeps it.
 *
 * Letters: along the pooled axis, S input and O output extents, K kernel, s stride; the pooled map is y, its input x.
 */
import { floatConstant } from '../../graph/constant.ts'
import type { Builder } from '../../graph/builder.ts'
import { interleaved, type MapShape, type PhaseMap } from './blocked.ts'
import type { Window } from './convolution/window.ts'
import { whereZero } from './mask.ts'

const ROWS = 0
const COLUMNS = 1
type Axis = typeof ROWS | typeof COLUMNS

/** A window of one axis. */
interface Line {
  readonly axis: Axis
  readonly kernel: number
  readonly stride: number
  readonly before: number
  readonly behind: number
}

/** What a place of the window adds to one phase of the input, the places p with p mod s = phase: out[j] = part[j - shift]. */
interface Share {
  readonly part: string
  readonly shift: number
}

/** `[extent, 1]` or `[1, extent]`. */
function along<T>(axis: Axis, extent: T, other: T): [T, T] {
  return axis === ROWS ? [extent, other] : [other, extent]
}

/**
 * The cotangent of x from g, that of y = MaxPool(x), where x is not negative; null where the extents do not allow it.
 * @param like a tensor of the model with the same number of rows
 */
export function rectifiedPoolGradient(
  build: Builder,
  [x, y, g]: readonly [string, string, string],
  [from, to]: readonly [MapShape, MapShape],
  { kernel, strides, pads, dilations }: Window,
  like: string,
): string | null {
  const line = (axis: Axis): Line => ({
    axis,
    kernel: kernel[axis] ?? 1,
    stride: strides[axis] ?? 1,
    before: pads[axis] ?? 0,
    behind: pads[axis + 2] ?? 0,
  })
  const [down, across] = [line(ROWS), line(COLUMNS)]
  const fits = [down, across].every(({ axis, kernel, stride, before, behind }) => {
    const extent = axis === ROWS ? from.height : from.width
    const outputs = axis === ROWS ? to.height : to.width
    const whole = (outputs - 1) * stride + kernel <= extent + before + behind
    return extent % stride === 0 && whole && before < kernel && behind < kernel
  })
  if (!fits || dilations.some((one) => one !== 1)) return null
  const middle = { ...from, width: to.width }
  const maxima = across.kernel === 1 && across.stride === 1 ? x : pooled(build, x, across)
  const atMaxima = lineGradient(build, [maxima, y, g], [middle, to], down, like)
  return atMaxima && lineGradient(build, [x, maxima, atMaxima], [from, middle], across, like)
}

function pooled(build: Builder, x: string, { axis, kernel, stride, before, behind }: Line): string {
  return build.op('MaxPool', [x], {
    kernel_shape: along(axis, kernel, 1),
    strides: along(axis, stride, 1),
    pads: [...along(axis, before, 0), ...along(axis, behind, 0)],
  })
}

function lineGradient(
  build: Builder,
  [x, y, g]: readonly [string, string, string],
  [from, to]: readonly [MapShape, MapShape],
  line: Line,
  like: string,
): string | null {
  if (line.kernel === 1 && line.stride === 1) return g
  const phases: Share[][] = Array.from({ length: line.stride }, () => [])
  let left = g
  for (let place = 0; place < line.kernel; place++) {
    const last = place === line.kernel - 1
    const part = last
      ? left
      : build.mul(left, whereZero(build, below(build, x, y, from.channels, line, place), from.channels))
    if (!last) left = build.add(scaled(build, part, from.channels, -1), left)
    const offset = place - line.before
    const phase = ((offset % line.stride) + line.stride) % line.stride
    phases[phase]?.push({ part, shift: (offset - phase) / line.stride })
  }
  const extent = line.axis === ROWS ? from.height : from.width
  const outputs = line.axis === ROWS ? to.height : to.width
  const size = extent / line.stride
  const small: MapShape = line.axis === ROWS ? { ...to, height: size } : { ...to, width: size }
  const maps = phases.flatMap((shares, phase): PhaseMap[] => {
    const parts = shares.map(({ part, shift }) =>
      shifted(build, part, from.channels, line.axis, { shift, outputs, size }),
    )
    const at = along(line.axis, phase, 0)
    return parts.length === 0 ? [] : [{ name: parts.reduce((a, b) => build.add(a, b)), at }]
  })
  return interleaved(build, maps, like, small, along(line.axis, line.stride, 1))
}

/** By how much the value at a place of each window lies below the window's maximum; padding counts as 0. */
function below(
  build: Builder,
  x: string,
  y: string,
  channels: number,
  { axis, kernel, stride, before, behind }: Line,
  place: number,
): string {
  const taps = new Float32Array(channels * kernel)
  for (let channel = 0; channel < channels; channel++) taps[channel * kernel + place] = -1
  const negative = build.op(
    'Conv',
    [x, build.constant(floatConstant(taps, [channels, 1, ...along(axis, kernel, 1)]))],
    {
      group: channels,
      kernel_shape: along(axis, kernel, 1),
      strides: along(axis, stride, 1),
      pads: [...along(axis, before, 0), ...along(axis, behind, 0)],
    },
  )
  return build.add(negative, y)
}

function scaled(build: Builder, x: string, channels: number, factor: number): string {
  return build.op('Conv', [x, build.filled(factor, [channels, 1, 1, 1])], { group: channels })
}

/** out[j] = x[j - shift] along an axis of `outputs` values, for j from 0 to `size` - 1; 0 beyond both ends. */
function shifted(
  build: Builder,
  x: string,
  channels: number,
  axis: Axis,
  { shift, outputs, size }: { readonly shift: number; readonly outputs: number; readonly size: number },
): string {
  if (shift === 0 && outputs === size) return x
  const before = Math.max(0, shift)
  const tap = before - shift
  const kernel = Math.max(tap + 1, outputs + before - size + 1)
  const behind = size - outputs - before + kernel - 1
  const taps = new Float32Array(channels * kernel)
  for (let channel = 0; channel < channels; channel++) taps[channel * kernel + tap] = 1
  return build.op('Conv', [x, build.constant(floatConstant(taps, [channels, 1, ...along(axis, kernel, 1)]))], {
    group: channels,
    kernel_shape: along(axis, kernel, 1),
    pads: [...along(axis, before, 0), ...along(axis, behind, 0)],
  })
}
