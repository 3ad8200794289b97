/**
 * Straight-through rules of quantised operators: forward they run as they are, backward as the float operators they stand
 * for, on dequantised weights; rounding counts as the identity (Bengio 1308.3432). Scales count as constants.
 */
import { AppError } from '../../../errors.ts'
import type { Builder } from '../builder.ts'
import { placeOf } from '../builder.ts'
import { describeNode, intAttribute, type GraphNode } from '../graph.ts'
import { convInputGradient, kernelOf, windowOf } from './convolution.ts'
import { matMulGradients } from './matmul.ts'
import { input, type RuleEntry } from './rule.ts'

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

/** Scale or zero point of a per-axis quantiser, in a shape that broadcasts against x. */
function perAxis(build: Builder, node: GraphNode, name: string, like: string): string {
  const dims = build.shapeFor(node, name)
  if (dims.length === 0 || dims[0] === 1) return name
  const rank = build.shapeFor(node, like).length
  const axis = placeOf(intAttribute(node, 'axis') ?? 1, rank)
  return build.reshape(name, build.ints(Array.from({ length: rank }, (_, one) => (one === axis ? -1 : 1))))
}

/** q = round(x / scale) + zero: g / scale. */
export const quantizeLinear: RuleEntry = {
  carriesIntegers: true,
  rule: (node, [g], build) => (g ? [build.div(g, perAxis(build, node, input(node, 1), input(node, 0)))] : []),
}
/** x = (q - zero) scale: g scale. */
export const dequantizeLinear: RuleEntry = {
  carriesIntegers: true,
  rule: (node, [g], build) => (g ? [build.mul(g, perAxis(build, node, input(node, 1), input(node, 0)))] : []),
}
/** Outputs q, scale, zero: only q carries a gradient. */
export const dynamicQuantizeLinear: RuleEntry = {
  carriesIntegers: true,
  rule: (node, [g], build) => (g ? [build.div(g, node.outputs[1] ?? '')] : []),
}
export const matMulInteger: RuleEntry = {
  carriesIntegers: true,
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const a = wanted[1] ? dequantised(build, node, input(node, 0), input(node, 2), -2) : ''
    const b = wanted[0] ? dequantised(build, node, input(node, 1), input(node, 3), -1) : ''
    return matMulGradients(build, node, g, { a, b }, wanted)
  },
}
export const convInteger: RuleEntry = {
  carriesIntegers: true,
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    if (wanted[1])
      throw new AppError({
        code: 'NOT_DIFFERENTIABLE',
        message: `${describeNode(node)}: its kernel is computed in the graph.`,
      })
    const [x, q] = [input(node, 0), input(node, 1)]
    const window = windowOf(build, node, kernelOf(build, node, q))
    return [convInputGradient(build, node, g, x, dequantised(build, node, q, input(node, 3), 0), window)]
  },
}
