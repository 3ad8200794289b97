/**
 * How a linear head, logits = W mean over H, W of a tap + b, goes through an operator: averaging over places and a linear map over
 * channels change places without a difference, so each step says what becomes of the axes and what it does to the channels.
 *
 * Letters: C channels of the tap, L of the tensor looked at, K classes.
 */
import { sizeOf } from '../../../tensor/tensor.ts'
import type { AffineMap } from '../../affine-map.ts'
import { floatsOf, intsOf } from '../graph/constant.ts'
import {
  floatAttribute,
  intAttribute,
  intsAttribute,
  shapeIn,
  textAttribute,
  type Constant,
  type Dim,
  type Graph,
  type GraphNode,
} from '../graph/graph.ts'
import { scaleAndShift } from './batch-normalization.ts'

/** What an axis counts; 'place' is any of the map, not averaged yet. */
type Axis = 'row' | 'channel' | 'place' | 'one'

export interface Reached {
  readonly name: string
  readonly axes: readonly Axis[]
  /** L */
  readonly channels: number
}

interface Next extends Omit<Reached, 'name'> {
  /** What the node does to the channels; reads weights, so only where the whole way is linear. */
  readonly apply?: (map: AffineMap) => AffineMap
}

/** One node further, or null where it is anything else than a part of a linear head. */
export type Step = (graph: Graph, node: GraphNode, at: Reached) => Next | null

const isMap = (axes: readonly Axis[]): boolean => axes.length === 4 && axes[0] === 'row' && axes[1] === 'channel'
const all = (values: readonly number[] | undefined, wanted: number): boolean =>
  values?.every((one) => one === wanted) ?? true

/** Averages over all that is left of the map. */
function averaged(at: Reached, axes: readonly Axis[]): Next | null {
  return at.axes.includes('place') ? { channels: at.channels, axes } : null
}

export const globalPool: Step = (_graph, _node, at) =>
  isMap(at.axes) ? averaged(at, ['row', 'channel', 'one', 'one']) : null

/** One window over the whole map, without a border. */
export const averagePool: Step = (graph, node, at) => {
  const extents = shapeIn(graph, at.name)?.slice(2)
  const kernel = intsAttribute(node, 'kernel_shape')
  const whole = kernel?.length === 2 && kernel.every((extent, axis) => extent === extents?.[axis])
  const padded =
    !all(intsAttribute(node, 'pads'), 0) || !['NOTSET', 'VALID'].includes(textAttribute(node, 'auto_pad') ?? 'NOTSET')
  return whole && !padded && all(intsAttribute(node, 'dilations'), 1) ? globalPool(graph, node, at) : null
}

/** The mean over every place, or the sum with the factor that makes a mean of it. */
const reduced = (graph: Graph, node: GraphNode, at: Reached, sums: boolean): Next | null => {
  const constant = graph.constants.get(node.inputs[1] ?? '')
  if (constant === undefined) return null
  const gone = new Set(intsOf(constant).map((axis) => (axis < 0 ? axis + at.axes.length : axis)))
  const missed = at.axes.some((axis, place) => axis === 'place' && !gone.has(place))
  const others = at.axes.some((axis, place) => gone.has(place) && (axis === 'row' || axis === 'channel'))
  if (missed || others) return null
  const kept = (intAttribute(node, 'keepdims') ?? 1) === 1
  const axes = at.axes.flatMap((axis, place): Axis[] => (gone.has(place) ? (kept ? ['one'] : []) : [axis]))
  const next = averaged(at, axes)
  if (next === null || !sums) return next
  const extents = at.axes.map((axis, place) => (axis === 'place' ? shapeIn(graph, at.name)?.[place] : 1))
  if (!extents.every((extent) => typeof extent === 'number')) return null
  const places = extents.reduce((product, extent) => product * extent, 1)
  return { ...next, apply: (map) => map.scaled(new Float32Array(at.channels).fill(places), null) }
}

export const mean: Step = (graph, node, at) => reduced(graph, node, at, false)
export const total: Step = (graph, node, at) => reduced(graph, node, at, true)

/** Axes of one element come and go; places may be put into one axis, nothing else into another. */
export const reshape: Step = (graph, node, at) => {
  const [before, after] = [shapeIn(graph, at.name), shapeIn(graph, node.outputs[0] ?? '')]
  if (before === null || after === null || node.inputs[0] !== at.name) return null
  const meant: { axis: Axis; extent: Dim }[] = []
  at.axes.forEach((axis, place) => {
    const extent = before[place] ?? null
    const last = meant.at(-1)
    if (axis === 'one') return
    if (axis === 'place' && last?.axis === 'place')
      last.extent = typeof last.extent === 'number' && typeof extent === 'number' ? last.extent * extent : null
    else meant.push({ axis, extent })
  })
  const axes: Axis[] = []
  let next = 0
  for (const [place, extent] of after.entries()) {
    const one = meant[next]
    const fits = one !== undefined && (place === 0 || (extent !== null && extent === one.extent))
    if (fits) axes.push(one.axis)
    else if (extent === 1) axes.push('one')
    else return null
    if (fits) next += 1
  }
  return next === meant.length ? { axes, channels: at.channels } : null
}

export const same: Step = (_graph, node, at) => (node.inputs[0] === at.name ? at : null)

export const transpose: Step = (_graph, node, at) => {
  const perm = intsAttribute(node, 'perm') ?? at.axes.map((_, axis) => axis).reverse()
  return { axes: perm.map((axis) => at.axes[axis] ?? 'one'), channels: at.channels }
}

/** A linear map over the channels, [outer, inner]. */
function product(at: Reached, outer: number, inner: number, apply: NonNullable<Next['apply']>): Next | null {
  return inner === at.channels ? { axes: at.axes, channels: outer, apply } : null
}

/** A kernel of one tap at every place. */
export const conv: Step = (graph, node, at) => {
  const kernel = graph.constants.get(node.inputs[1] ?? '')
  const plain =
    (intAttribute(node, 'group') ?? 1) === 1 &&
    all(kernel?.dims.slice(2), 1) &&
    all(intsAttribute(node, 'strides'), 1) &&
    all(intsAttribute(node, 'pads'), 0)
  const bias = biasOf(graph, node)
  if (kernel?.dims.length !== 4 || !plain || !isMap(at.axes) || node.inputs[0] !== at.name || bias === undefined)
    return null
  const [outer = 0, inner = 0] = kernel.dims
  return product(at, outer, inner, (map) => map.product(floatsOf(kernel), bias === null ? null : floatsOf(bias)))
}

/** Weights [inner, outer] as [outer, inner], or the other way round. */
function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  return values.map((_, at) => values[(at % rows) * columns + Math.floor(at / rows)] ?? 0)
}

export const gemm: Step = (graph, node, at) => {
  const matrix = graph.constants.get(node.inputs[1] ?? '')
  const bias = biasOf(graph, node)
  if (intAttribute(node, 'transA') || node.inputs[0] !== at.name || matrix?.dims.length !== 2 || bias === undefined)
    return null
  const [rows = 0, columns = 0] = matrix.dims
  const across = Boolean(intAttribute(node, 'transB'))
  const [outer, inner] = across ? [rows, columns] : [columns, rows]
  const count = sizeOf(bias?.dims ?? [outer])
  if (count !== outer && count !== 1) return null
  const [alpha, beta] = [floatAttribute(node, 'alpha') ?? 1, floatAttribute(node, 'beta') ?? 1]
  return product(at, outer, inner, (map) => {
    const weights = across ? floatsOf(matrix) : turned(floatsOf(matrix), rows, columns)
    const shift = bias === null ? null : floatsOf(bias).map((one) => one * beta)
    const whole = shift?.length === 1 ? new Float32Array(outer).fill(shift[0] ?? 0) : shift
    return map.product(alpha === 1 ? weights : weights.map((one) => one * alpha), whole)
  })
}

export const matMul: Step = (graph, node, at) => {
  const matrix = graph.constants.get(node.inputs[1] ?? '')
  if (node.inputs[0] !== at.name || at.axes.at(-1) !== 'channel' || matrix?.dims.length !== 2) return null
  const [inner = 0, outer = 0] = matrix.dims
  return product(at, outer, inner, (map) => map.product(turned(floatsOf(matrix), inner, outer), null))
}

export const batchNormalization: Step = (graph, node, at) => {
  const read = scaleAndShift(graph, node)
  if (read === null || node.inputs[0] !== at.name || at.axes[1] !== 'channel') return null
  return {
    axes: at.axes,
    channels: at.channels,
    apply: (map) => {
      const { factors, shifts } = read()
      return map.scaled(factors, shifts)
    },
  }
}

/** An operation with weights that are the same at every place: what it does to the channels, the tensor its `first` operand or not. */
const withWeights =
  (apply: (map: AffineMap, weights: readonly number[], first: boolean) => AffineMap, either = true): Step =>
  (graph, node, at) => {
    const first = node.inputs[0] === at.name
    const constant = graph.constants.get(node.inputs[first ? 1 : 0] ?? '')
    if (constant === undefined || !isPerChannel(constant.dims, at) || (!either && !first)) return null
    return {
      axes: at.axes,
      channels: at.channels,
      apply: (map) => {
        const read = floatsOf(constant)
        const weights = Array.from({ length: at.channels }, (_, channel) => read[read.length === 1 ? 0 : channel] ?? 0)
        return apply(map, weights, first)
      },
    }
  }
export const sum: Step = withWeights((map, weights) =>
  map.scaled(
    weights.map(() => 1),
    weights,
  ),
)
export const times: Step = withWeights((map, weights) => map.scaled(weights, null))
export const over: Step = withWeights(
  (map, weights) =>
    map.scaled(
      weights.map((one) => 1 / one),
      null,
    ),
  false,
)
export const difference: Step = withWeights((map, weights, first) => {
  const sign = first ? 1 : -1
  return map.scaled(
    weights.map(() => sign),
    weights.map((one) => -sign * one),
  )
})

/** The third operand: null where there is none, undefined where it is no weight. */
function biasOf(graph: Graph, node: GraphNode): Constant | null | undefined {
  const name = node.inputs[2] ?? ''
  return name === '' ? null : graph.constants.get(name)
}

/** Whether a constant widens to one number a channel. */
function isPerChannel(dims: readonly number[], { axes, channels }: Reached): boolean {
  if (dims.length > axes.length) return false
  if (sizeOf(dims) === 1) return true
  const channel = axes.indexOf('channel') - (axes.length - dims.length)
  return dims.every((extent, axis) => (axis === channel ? extent === channels : extent === 1))
}
