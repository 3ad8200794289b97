/** The gradient of a strided convolution, all phases of its strides at once. */
import type { Builder } from '../../../graph/builder.ts'
import { floatConstant, floatsOf } from '../../../graph/constant.ts'
import { intAttribute, type Constant, type GraphNode } from '../../../graph/graph.ts'
import { output } from '../rule.ts'
import type { Window } from './window.ts'

/** The kernels' values that reach one phase of an axis, the places p with p mod stride = phase, in order. */
interface Phase {
  readonly taps: readonly number[]
  /** What the first of them reads for place p: the cotangent at floor(p / stride) + offset; the next one reads before it. */
  readonly offset: number
}

function phasesOf(extent: number, stride: number, pad: number): readonly Phase[] {
  return Array.from({ length: stride }, (_, phase) => {
    const taps = Array.from({ length: extent }, (_, tap) => tap).filter(
      (tap) => tap % stride === (phase + pad) % stride,
    )
    return { taps, offset: Math.floor((phase + pad) / stride) }
  })
}

/** Pictures and the like: with more channels a transposed convolution is as fast. */
const FEW_CHANNELS = 4

/**
 * The gradient of a strided convolution at a picture: its few channels times all phases of the strides are the channels of
 * one convolution on the small map, and DepthToSpace puts them side by side. Null where that does not apply.
 */
export function phasedGradient(
  build: Builder,
  node: GraphNode,
  g: string,
  x: string,
  kernel: Constant,
  { strides, dilations, pads }: Window,
): string | null {
  const [stride = 1, other = 1] = strides
  const [m = 0, c = 0, ...extents] = kernel.dims
  const [from, to] = [build.shape(x) ?? [], build.shape(output(node)) ?? []].map((shape) => shape.slice(2))
  if (extents.length !== 2 || stride === 1 || stride !== other || dilations.some((one) => one !== 1)) return null
  if ((intAttribute(node, 'group') ?? 1) !== 1 || c > FEW_CHANNELS) return null
  const axes = extents.map((extent, axis) => {
    const phases = phasesOf(extent, stride, pads[axis] ?? 0)
    const before = Math.max(...phases.map(({ taps, offset }) => taps.length - 1 - offset))
    const reach = before + Math.max(...phases.map(({ offset }) => offset)) + 1
    const [size, small] = [from?.[axis], to?.[axis]]
    if (typeof size !== 'number' || typeof small !== 'number' || size % stride !== 0) return null
    return { phases, before, reach, behind: size / stride - small + reach - 1 - before }
  })
  const [rows, columns] = axes
  if (!rows || !columns || [rows, columns].some(({ before, behind }) => before < 0 || behind < 0)) return null
  const weights = floatsOf(kernel)
  const [height = 1, width = 1] = extents
  const area = rows.reach * columns.reach
  const joined = new Float32Array(stride * stride * c * m * area)
  for (const [v, vertical] of rows.phases.entries())
    for (const [h, horizontal] of columns.phases.entries())
      for (const [i, tapV] of vertical.taps.entries())
        for (const [j, tapH] of horizontal.taps.entries()) {
          const place = (rows.before + vertical.offset - i) * columns.reach + columns.before + horizontal.offset - j
          for (let channel = 0; channel < c; channel++)
            for (let filter = 0; filter < m; filter++) {
              const target = ((v * stride + h) * c + channel) * m + filter
              const source = (filter * c + channel) * height * width + tapV * width + tapH
              joined[target * area + place] = weights[source] as number
            }
        }
  const phases = build.op(
    'Conv',
    [g, build.constant(floatConstant(joined, [stride * stride * c, m, rows.reach, columns.reach]))],
    { kernel_shape: [rows.reach, columns.reach], pads: [rows.before, columns.before, rows.behind, columns.behind] },
  )
  return build.op('DepthToSpace', [phases], { blocksize: stride, mode: 'DCR' })
}
