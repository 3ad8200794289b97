/** Where the window of a convolution or a pooling stands: kernel, strides, dilations, pads. */
import type { Builder } from '../../../graph/builder.ts'
import { describeNode, intsAttribute, textAttribute, type Dim, type GraphNode } from '../../../graph/graph.ts'
import { input, type Refusal } from '../rule.ts'

export interface Window {
  readonly rank: number
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** Zeros before each axis, then behind each axis. */
  readonly pads: readonly number[]
}

export const isNumber = (dim: Dim | undefined): dim is number => typeof dim === 'number'

/** `auto_pad` with a stride pads by the extents. */
export const refusesAutoPad: Refusal = (node, build) => {
  if (!(textAttribute(node, 'auto_pad') ?? '').startsWith('SAME')) return null
  const extents = build.shape(input(node, 0))?.slice(2)
  const open = (intsAttribute(node, 'strides') ?? []).some((stride, axis) => stride !== 1 && !isNumber(extents?.[axis]))
  return open ? 'auto_pad with a stride needs a fixed input size: export with explicit pads' : null
}

/** The window of a convolution or pooling node, `auto_pad` resolved. */
export function windowOf(build: Builder, node: GraphNode, kernel: readonly number[]): Window {
  const rank = kernel.length
  const ones = kernel.map(() => 1)
  const strides = intsAttribute(node, 'strides') ?? ones
  const dilations = intsAttribute(node, 'dilations') ?? ones
  const autoPad = textAttribute(node, 'auto_pad') ?? 'NOTSET'
  const explicit = intsAttribute(node, 'pads') ?? Array.from({ length: 2 * rank }, () => 0)
  if (autoPad === 'NOTSET') return { rank, kernel, strides, dilations, pads: explicit }
  if (autoPad === 'VALID') return { rank, kernel, strides, dilations, pads: explicit.map(() => 0) }
  const extents = build.shape(input(node, 0))?.slice(2)
  const totals = kernel.map((k, axis) => {
    const reach = (k - 1) * (dilations[axis] ?? 1) + 1
    const stride = strides[axis] ?? 1
    if (stride === 1) return reach - 1
    const extent = extents?.[axis]
    if (!isNumber(extent))
      throw new Error(`${describeNode(node)}: auto_pad of an unknown extent, which its rule refuses`)
    return Math.max((Math.ceil(extent / stride) - 1) * stride + reach - extent, 0)
  })
  const small = totals.map((total) => Math.floor(total / 2))
  const large = totals.map((total) => Math.ceil(total / 2))
  return {
    rank,
    kernel,
    strides,
    dilations,
    pads: autoPad === 'SAME_UPPER' ? [...small, ...large] : [...large, ...small],
  }
}
