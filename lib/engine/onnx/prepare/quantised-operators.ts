/**
 * Operators of the QOperator format (QLinearConv and its like) written out as what they compute: their operands dequantised,
 * the float operator, its result quantised. So they are differentiated by the rules of those three.
 */
import type { Decomposition, Expansion } from './expansion.ts'
import { shapeIn } from '../graph/graph.ts'
import type { AttributeInput } from '../graph/node-writer.ts'

/** Operand at `place`, its scale and zero point behind it, as floats; `axis` for one scale a channel. */
function dequantised(at: Expansion, place: number, axis = 0): string {
  const [x, scale, zero] = [at.input(place), at.input(place + 1), at.input(place + 2)]
  return at.op('DequantizeLinear', zero === '' ? [x, scale] : [x, scale, zero], perAxis(at, scale, axis))
}

function perAxis(at: Expansion, scale: string, axis: number): Readonly<Record<string, AttributeInput>> {
  return (shapeIn(at.graph, scale)?.length ?? 0) === 0 ? {} : { axis }
}

/** The node's output, from floats; scale and zero point at `place`. */
function quantised(at: Expansion, y: string, place: number): void {
  const [scale, zero] = [at.input(place), at.input(place + 1)]
  at.op('QuantizeLinear', zero === '' ? [y, scale] : [y, scale, zero], {}, at.node.outputs[0])
}

/** A bias of 32-bit integers, in units of the operands' scales multiplied. */
function bias(at: Expansion, name: string, scales: readonly [string, string]): string {
  return at.op('Mul', [at.op('Cast', [name], { to: 1 }), at.op('Mul', scales)])
}

/** x, w, y with their scales and zero points, bias. */
const conv: Decomposition = (at) => {
  const operands = [dequantised(at, 0), dequantised(at, 3)]
  if (at.input(8) !== '') operands.push(bias(at, at.input(8), [at.input(1), at.input(4)]))
  quantised(at, at.op('Conv', operands, at.node.attributes), 6)
}

/** A scale a column of the second operand, where it has several: its last axis. */
const matMul: Decomposition = (at) => {
  const rank = shapeIn(at.graph, at.input(3))?.length ?? 2
  quantised(at, at.op('MatMul', [dequantised(at, 0), dequantised(at, 3, rank - 1)]), 6)
}

/** a, b with their scales and zero points, c in units of alpha times the scales multiplied, then those of y. */
const gemm: Decomposition = (at) => {
  const { alpha, ...attributes } = at.node.attributes
  const transB = attributes['transB']?.kind === 'int' && attributes['transB'].value === 1
  const product = at.op('Gemm', [dequantised(at, 0), dequantised(at, 3, transB ? 0 : 1)], {
    ...attributes,
    ...(alpha && { alpha }),
  })
  const c = at.input(6)
  const factor = alpha?.kind === 'float' ? alpha.value : 1
  const scales = c === '' ? '' : bias(at, c, [at.input(1), at.input(4)])
  const scaled = factor === 1 || c === '' ? scales : at.op('Mul', [scales, at.float(factor)])
  const sum = c === '' ? product : at.op('Add', [product, scaled])
  if (at.input(7) === '') at.op('Identity', [sum], {}, at.node.outputs[0])
  else quantised(at, sum, 7)
}

/** A float operator of one operand: x, y with their scales and zero points. */
const unary =
  (operator: string): Decomposition =>
  (at) => {
    quantised(at, at.op(operator, [dequantised(at, 0)], at.node.attributes), 3)
  }
/** Of two operands. */
const binary =
  (operator: string): Decomposition =>
  (at) => {
    quantised(at, at.op(operator, [dequantised(at, 0), dequantised(at, 3)]), 6)
  }

/** Pooling and softmax have attributes of their own for the layout and the operator set. */
const channelsFirst =
  (operator: string): Decomposition =>
  (at) => {
    const { channels_last: last, ...attributes } = at.node.attributes
    if (last?.kind === 'int' && last.value === 1) at.refuse('with channels last')
    quantised(at, at.op(operator, [dequantised(at, 0)], attributes), 3)
  }

/** Softmax of operator sets before 13 runs over all axes from `axis` on. */
const softmax: Decomposition = (at) => {
  const { axis, opset } = at.node.attributes
  const rank = shapeIn(at.graph, at.input(0))?.length
  const place = axis?.kind === 'int' ? axis.value : -1
  const old = opset?.kind === 'int' && opset.value < 13
  if (old && place !== -1 && place + 1 !== rank) at.refuse('over several axes')
  quantised(at, at.op('Softmax', [dequantised(at, 0)], { axis: place }), 3)
}

/** Scale and zero point of y first, then x, scale and zero point of each part. */
const concat: Decomposition = (at) => {
  const places = Array.from({ length: Math.floor((at.node.inputs.length - 2) / 3) }, (_, part) => 2 + 3 * part)
  const parts = places.map((place) => dequantised(at, place))
  quantised(at, at.op('Concat', parts, at.node.attributes), 0)
}

export const QUANTISED_OPERATORS: Readonly<Record<string, Decomposition>> = Object.freeze({
  QLinearConv: conv,
  QLinearMatMul: matMul,
  'com.microsoft:QGemm': gemm,
  'com.microsoft:QLinearAdd': binary('Add'),
  'com.microsoft:QLinearAveragePool': channelsFirst('AveragePool'),
  'com.microsoft:QLinearConcat': concat,
  'com.microsoft:QLinearGlobalAveragePool': channelsFirst('GlobalAveragePool'),
  'com.microsoft:QLinearLeakyRelu': unary('LeakyRelu'),
  'com.microsoft:QLinearMul': binary('Mul'),
  'com.microsoft:QLinearSigmoid': unary('Sigmoid'),
  'com.microsoft:QLinearSoftmax': softmax,
})
