/**
 * What ONNX Runtime fuses of dynamically quantised products, written out: whole numbers multiplied, then both scales. One
 * operand's scale is that of its values in the run.
 */
import type { Decomposition, Expansion } from './expansion.ts'

/** What MatMulInteger makes of whole numbers, in units of both scales; a scale and a zero point a column of the second. */
function scaledProduct(at: Expansion, integers: readonly string[], scales: readonly string[], bias: string): void {
  const product = at.op('Cast', [at.op('MatMulInteger', integers)], { to: 1 })
  const output = at.node.outputs[0]
  if (bias === '') at.op('Mul', [product, at.op('Mul', scales)], {}, output)
  else at.op('Add', [at.op('Mul', [product, at.op('Mul', scales)]), bias], {}, output)
}

/** a, b, their scales, their zero points, bias. */
const matMulIntegerToFloat: Decomposition = (at) => {
  const zeros = [at.input(4), at.input(5)]
  while (zeros.at(-1) === '') zeros.pop()
  scaledProduct(at, [at.input(0), at.input(1), ...zeros], [at.input(2), at.input(3)], at.input(6))
}

/** a in floats, b, its scale and zero point, bias. */
const dynamicQuantizeMatMul: Decomposition = (at) => {
  const [q = '', scale = '', zero = ''] = at.ops('DynamicQuantizeLinear', [at.input(0)], {}, 3)
  const zeros = at.input(3) === '' ? [zero] : [zero, at.input(3)]
  scaledProduct(at, [q, at.input(1), ...zeros], [scale, at.input(2)], at.input(4))
}

export const DYNAMIC_OPERATORS: Readonly<Record<string, Decomposition>> = Object.freeze({
  'com.microsoft:DynamicQuantizeMatMul': dynamicQuantizeMatMul,
  'com.microsoft:MatMulIntegerToFloat': matMulIntegerToFloat,
})
