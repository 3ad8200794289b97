/**
 * Finds a linear head: logits = W mean over H, W of a tap + b, exactly. Plain CAM needs it.
 *
 * Averaging over places and a linear map over channels change places without a difference, so both may come in any order:
 * convolutions of one tap, products, batch normalisations and sums with weights, one average over the whole map. Each
 * operator's row says what it does there (`headStep`).
 */
import { float32 } from '../../../tensor/tensor.ts'
import type { LinearHead } from '../../model.ts'
import { AffineMap } from '../../affine-map.ts'
import { shapeIn, type Graph } from '../graph/graph.ts'
import { consumersOf, neededNodes } from '../graph/walks.ts'
import type { Reached } from '../operators/head-steps.ts'
import { operatorOf } from '../operators/operator-of.ts'
import { scaleAndShift } from './batch-normalization.ts'

/** The head behind `tap`, or null where the logits are anything else. */
export function findLinearHead(graph: Graph, tap: string, logits: string): LinearHead | null {
  const shape = shapeIn(graph, tap)
  const [, channels] = shape ?? []
  if (shape?.length !== 4 || typeof channels !== 'number') return null
  const consumers = consumersOf(neededNodes(graph.nodes, [logits], new Set([tap])))
  let at: Reached = { name: tap, axes: ['row', 'channel', 'place', 'place'], channels }
  const parts: ((map: AffineMap) => AffineMap)[] = []
  while (at.name !== logits) {
    const [node, ...others] = consumers.get(at.name) ?? []
    if (node === undefined || others.length > 0) return null
    const next = operatorOf(node).headStep?.(graph, node, at) ?? null
    if (next === null) return null
    if (next.apply !== undefined) parts.push(next.apply)
    at = { name: node.outputs[0] ?? '', axes: next.axes, channels: next.channels }
  }
  if (at.axes.join() !== 'row,channel') return null
  const { weights, bias } = parts.reduce((map, apply) => apply(map), AffineMap.identity(channels))
  return { weights: float32(weights, [bias.length, channels]), bias: float32(bias, [bias.length]) }
}
<<<<<<< HEAD

const isMap = (axes: readonly Axis[]): boolean => axes.length === 4 && axes[0] === 'row' && axes[1] === 'channel'
const all = (values: readonly number[] | undefined, wanted: number): boolean =>
  values?.every((one) => one === wanted) ?? true

/** Averages over all that is left of the map. */
function averaged(at: Reached, axes: readonly Axis[]): Next | null {
  return at.axes.includes('place') ? { channels: at.channels, axes } : null
}

const globalPool: Step = (_graph, _node, at) => (isMap(at.axes) ? averaged(at, ['row', 'channel', 'one', 'one']) : null)

/** One window over the whole map, without a border. */
const averagePool: Step = (graph, node, at) => {
  const extents = shapeIn(graph, at.name)?.slice(2)
  const kernel = intsAttribute(node, 'kernel_shape')
  const whole = kernel?.length === 2 && kernel.every((extent, axis) => extent === extents?.[axis])
  const padded =
    !all(intsAttribute(node, 'pads'), 0) || !['NOTSET', 'VALID'].includes(textAttribute(node, 'auto_pad') ?? 'NOTSET')
  return whole && !padded && all(intsAttribute(node, 'dilations'), 1) ? globalPool(graph, node, at) : null
}

/** The mean over every place, or the sum with the factor that makes a mean of it. */
const reduce: Step = (graph, node, at) => {
  const constant = graph.constants.get(node.inputs[1] ?? '')
  if (constant === undefined) return null
  const reduced = new Set(intsOf(constant).map((axis) => (axis < 0 ? axis + at.axes.length : axis)))
  const missed = at.axes.some((axis, place) => axis === 'place' && !reduced.has(place))
  const others = at.axes.some((axis, place) => reduced.has(place) && (axis === 'row' || axis === 'channel'))
  if (missed || others) return null
  const kept = (intAttribute(node, 'keepdims') ?? 1) === 1
  const axes = at.axes.flatMap((axis, place): Axis[] => (reduced.has(place) ? (kept ? ['one'] : []) : [axis]))
  const next = averaged(at, axes)
  if (next === null || node.operator === 'ReduceMean') return next
  const extents = at.axes.map((axis, place) => (axis === 'place' ? shapeIn(graph, at.name)?.[place] : 1))
  if (!extents.every((extent) => typeof extent === 'number')) return null
  const places = extents.reduce((product, extent) => product * extent, 1)
  return { ...next, apply: (map) => map.scaled(new Float32Array(at.channels).fill(places), null) }
}

/** Axes of one element come and go; places may be put into one axis, nothing else into another. */
const reshape: Step = (graph, node, at) => {
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

const same: Step = (_graph, node, at) => (node.inputs[0] === at.name ? at : null)

const transpose: Step = (_graph, node, at) => {
  const perm = intsAttribute(node, 'perm') ?? at.axes.map((_, axis) => axis).reverse()
  return { axes: perm.map((axis) => at.axes[axis] ?? 'one'), channels: at.channels }
}

/** A linear map over the channels, [outer, inner]. */
function product(at: Reached, outer: number, inner: number, apply: NonNullable<Next['apply']>): Next | null {
  return inner === at.channels ? { axes: at.axes, channels: outer, apply } : null
}

/** A kernel of one tap at every place. */
const conv: Step = (graph, node, at) => {
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

const gemm: Step = (graph, node, at) => {
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

const matMul: Step = (graph, node, at) => {
  const matrix = graph.constants.get(node.inputs[1] ?? '')
  if (node.inputs[0] !== at.name || at.axes.at(-1) !== 'channel' || matrix?.dims.length !== 2) return null
  const [inner = 0, outer = 0] = matrix.dims
  return product(at, outer, inner, (map) => map.product(turned(floatsOf(matrix), inner, outer), null))
}

const batchNormalization: Step = (graph, node, at) => {
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

/** A sum, difference, product or quotient with weights that are the same at every place. */
const withWeights: Step = (graph, node, at) => {
  const first = node.inputs[0] === at.name
  const constant = graph.constants.get(node.inputs[first ? 1 : 0] ?? '')
  const { operator } = node
  if (constant === undefined || !isPerChannel(constant.dims, at) || (operator === 'Div' && !first)) return null
  const ones = Array.from({ length: at.channels }, () => 1)
  return {
    axes: at.axes,
    channels: at.channels,
    apply: (map) => {
      const read = floatsOf(constant)
      const values = ones.map((_, channel) => read[read.length === 1 ? 0 : channel] ?? 0)
      if (operator === 'Add') return map.scaled(ones, values)
      if (operator === 'Mul') return map.scaled(values, null)
      if (operator === 'Div')
        return map.scaled(
          values.map((one) => 1 / one),
          null,
        )
      const sign = first ? 1 : -1
      return map.scaled(
        ones.map(() => sign),
        values.map((one) => -sign * one),
      )
    },
  }
}

const STEPS: Readonly<Record<string, Step>> = {
  GlobalAveragePool: globalPool,
  AveragePool: averagePool,
  ReduceMean: reduce,
  ReduceSum: reduce,
  Identity: same,
  Dropout: same,
  Transpose: transpose,
  Conv: conv,
  Gemm: gemm,
  MatMul: matMul,
  BatchNormalization: batchNormalization,
  Add: withWeights,
  Sub: withWeights,
  Mul: withWeights,
  Div: withWeights,
}

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
=======
>>>>>>> main
