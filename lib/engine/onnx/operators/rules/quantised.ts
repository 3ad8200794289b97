/**
 * Straight-through rules of quantised operators: forward they run as they are, backward as the float operators they stand
 * for, on dequantised weights; rounding counts as the identity (Bengio 1308.3432), saturation as the Clip it is: quantisers
 * delete a Relu or Clip whose work the saturation does. Scales count as constants.
 */
import type { Builder } from '../../graph/builder.ts'
import { placeOf } from '../../graph/builder.ts'
import { intsOf } from '../../graph/constant.ts'
import { DataType, intAttribute, type Graph, type GraphNode } from '../../graph/graph.ts'
import { convInputGradient, kernelOf, refusesAutoPad, refusesOpenKernel, windowOf } from './convolution.ts'
import { matMulGradients } from './matmul.ts'
import { firstOf, input, output, ranksOf, type RuleEntry } from './rule.ts'

/** (q - zero) as floats; the zero point is one number, or one a channel along `axis`. */
function dequantised(build: Builder, node: GraphNode, q: string, zero: string, axis: number): string {
  const values = build.cast(q, 1)
  if (zero === '') return values
  const dims = build.shapeFor(node, zero)
  const rank = build.shapeFor(node, q).length
  const zeros = build.cast(zero, 1)
  if (dims.length === 0 || dims[0] === 1) return build.sub(values, zeros)
  const shape = Array.from({ length: rank }, (_, one) => (one === placeOf(axis, rank) ? -1 : 1))
  return build.sub(values, build.reshape(zeros, build.ints(shape)))
}

/** Scale or zero point, in a shape that broadcasts against x: one for all, one a place of `axis`, or one a block of it. */
export function perAxis(build: Builder, node: GraphNode, name: string): string {
  const dims = build.shapeFor(node, name)
  const x = input(node, 0)
  const block = intAttribute(node, 'block_size') ?? 0
  if (block === 0 && (dims.length === 0 || dims[0] === 1)) return name
  const rank = build.shapeFor(node, x).length
  const axis = placeOf(intAttribute(node, 'axis') ?? 1, rank)
  if (block === 0)
    return build.reshape(name, build.ints(Array.from({ length: rank }, (_, one) => (one === axis ? -1 : 1))))
  const places = build.op('Range', [build.int(0), build.squeeze(build.extentOf(x, axis), [0]), build.int(1)])
  return build.op('Gather', [name, build.div(places, build.int(block))], { axis })
}

/** The smallest and the largest number of each type that a quantiser may write. */
const RANGES: Readonly<Record<number, readonly [number, number]>> = {
  [DataType.uint8]: [0, 255], [DataType.int8]: [-128, 127],
  [DataType.uint16]: [0, 65535], [DataType.int16]: [-32768, 32767],
  // Four bits, then the floats of eight: e4m3fn, e4m3fnuz, e5m2, e5m2fnuz.
  21: [0, 15], 22: [-8, 7], 17: [-448, 448], 18: [-240, 240], 19: [-57344, 57344], 20: [-57344, 57344],
} // prettier-ignore

/** The type a quantiser writes: its zero point's, else the one it states, else unsigned bytes. */
function writtenType(build: Builder, node: GraphNode): number {
  const zero = input(node, 2)
  return (zero === '' ? 0 : build.type(zero)) || intAttribute(node, 'output_dtype') || DataType.uint8
}

/** Operators behind which exporters put a rectifier, and quantisers take it away again. */
const RECTIFIED: ReadonlySet<string> = new Set(
  'Conv ConvTranspose Gemm MatMul Add Sum BatchNormalization InstanceNormalization GroupNormalization'.split(' '),
)

/** Is what it writes, dequantised, the tensor whose gradient is asked for? Logits mostly are. */
function quantisesSeed(build: Builder, node: GraphNode): boolean {
  const of = build.seed?.of
  return build.graph.nodes.some(
    ({ operator, inputs, outputs }) =>
      operator === 'DequantizeLinear' && inputs[0] === output(node) && outputs[0] === of,
  )
}

const WHOLE_BYTES: ReadonlySet<number> = new Set([DataType.uint8, DataType.int8, DataType.uint16, DataType.int16])

/**
 * Does this tensor of quantised numbers hold what a Relu made that its quantiser does the work of? Told from the file: the
 * numbers begin at the zero point, and what is quantised is a convolution's output or the like.
 */
export function isRectified(
  { constants }: Graph,
  producers: ReadonlyMap<string, GraphNode>,
  quantised: string,
): boolean {
  const node = producers.get(quantised)
  const zero = constants.get(node?.inputs[2] ?? '')
  if (node?.operator !== 'QuantizeLinear' || zero === undefined || !WHOLE_BYTES.has(zero.type)) return false
  const producer = producers.get(node.inputs[0] ?? '')
  const [low] = RANGES[zero.type] ?? []
  return producer !== undefined && RECTIFIED.has(producer.operator) && intsOf(zero).every((one) => one === low)
}

/** Where (a boolean that broadcasts) a quantiser does the work of the Relu that stood before it; null where it does not. */
export function rectifiesAt(build: Builder, node: GraphNode): string | null {
  const [low] = RANGES[writtenType(build, node)] ?? []
  const producer = build.graph.nodes.find((one) => one.outputs.includes(input(node, 0)))
  if (low === undefined || producer === undefined || !RECTIFIED.has(producer.operator)) return null
  return quantisesSeed(build, node) ? null : build.op('Equal', [zeroPoint(build, node), build.float(low)])
}

function zeroPoint(build: Builder, node: GraphNode): string {
  const name = input(node, 2)
  return name === '' ? build.float(0) : build.cast(perAxis(build, node, name), DataType.float)
}

/** How far beyond a bound values still round into the range: half a step. */
const HALF = 0.5

/**
 * The cotangent of what rounds into the representable range, 0 where it saturates, as torch.fake_quantize has it: bounds are
 * extremes of calibration, which values reach and rounded weights push a little further, and no kinks. But one: behind a
 * convolution and its like, a zero point at the lower bound is the kink of the Relu that was deleted there, with 0 at 0 as at
 * a Relu that was kept. (Of an input it is none: the black of a picture is 0 too.) What is asked about passes whole: a class
 * more certain than any of calibration would have no explanation.
 */
export function keepRepresentable(build: Builder, node: GraphNode, g: string, scale: string): string {
  const range = RANGES[writtenType(build, node)]
  if (range === undefined || quantisesSeed(build, node)) return g
  const [low, high] = range
  const rectified = rectifiesAt(build, node)
  const outside = build.float(low - HALF)
  const lowest = rectified === null ? outside : build.where(rectified, build.float(low), outside)
  const place = build.add(build.div(input(node, 0), scale), zeroPoint(build, node))
  const above = build.op('Greater', [place, lowest])
  return build.keep(g, build.op('And', [above, build.op('Less', [place, build.float(high + HALF)])]))
}

/** q = saturate(round(x / scale) + zero): g / scale where it does not saturate. */
export const quantizeLinear: RuleEntry = {
  carriesIntegers: true,
  constants: [1],
  refuses: ranksOf(0, 1),
  rule: (node, [g], build) => {
    if (!g) return []
    const scale = perAxis(build, node, input(node, 1))
    return [build.div(keepRepresentable(build, node, g, scale), scale)]
  },
}
/** x = (q - zero) scale: g scale. */
export const dequantizeLinear: RuleEntry = {
  carriesIntegers: true,
  constants: [1],
  refuses: ranksOf(0, 1),
  rule: (node, [g], build) => (g ? [build.mul(g, perAxis(build, node, input(node, 1)))] : []),
}
/** Outputs q, scale, zero: only q carries a gradient, scales count as constants. Its range is chosen to hold every value: nothing saturates. */
export const dynamicQuantizeLinear: RuleEntry = {
  carriesIntegers: true,
  outputs: 3,
  rule: (node, [g], build) => (g ? [build.div(g, output(node, 1))] : []),
}
export const matMulInteger: RuleEntry = {
  carriesIntegers: true,
  refuses: ranksOf(0, 1, 2, 3),
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const a = wanted[1] ? dequantised(build, node, input(node, 0), input(node, 2), -2) : ''
    const b = wanted[0] ? dequantised(build, node, input(node, 1), input(node, 3), -1) : ''
    return matMulGradients(build, node, g, { a, b }, wanted)
  },
}
export const convInteger: RuleEntry = {
  carriesIntegers: true,
  refuses: firstOf(ranksOf(1, 3), refusesOpenKernel, refusesAutoPad, (node, build) =>
    build.graph.constants.has(input(node, 1))
      ? null
      : 'its kernel is computed in the graph: export it with constant weights',
  ),
  rule: (node, [g], build) => {
    if (!g) return []
    const [x, q] = [input(node, 0), input(node, 1)]
    const window = windowOf(build, node, kernelOf(build, node, q))
    return [convInputGradient(build, node, g, x, dequantised(build, node, q, input(node, 3), 0), window)]
  },
}
