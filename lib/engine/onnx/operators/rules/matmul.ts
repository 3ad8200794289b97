/** Gradient rules of matrix products. */
import { sizeOf } from '../../../../tensor/tensor.ts'
import { floatAttribute, intAttribute, type GraphNode, type Shape } from '../../graph/graph.ts'
import { input, output, ranksOf, type Rule, type RuleEntry } from './rule.ts'
import type { Builder } from '../../graph/builder.ts'

function swapLastTwo(build: Builder, name: string, rank: number): string {
  const perm = Array.from({ length: rank }, (_, axis) => axis)
  return build.transpose(name, [...perm.slice(0, -2), rank - 1, rank - 2])
}

/** [..., M, K] x [..., K, N]: dA = g Bᵀ, dB = Aᵀ g, batch axes summed where they were broadcast. */
const matMulRule: Rule = (node, [g], build, wanted) =>
  g ? matMulGradients(build, node, g, { a: input(node, 0), b: input(node, 1) }, wanted) : []

/** The same with other tensors in the operands' places (dequantised ones). */
export function matMulGradients(
  build: Builder,
  node: GraphNode,
  g: string,
  { a, b }: { readonly a: string; readonly b: string },
  wanted: readonly boolean[],
): (string | null)[] {
  const [shapeA, shapeB] = [build.shapeFor(node, input(node, 0)), build.shapeFor(node, input(node, 1))]
  const [rankA, rankB] = [shapeA.length, shapeB.length]
  // A vector operand is a matrix with an axis that the result has lost.
  let full = g
  if (rankB === 1) full = build.unsqueeze(full, [-1])
  if (rankA === 1) full = build.unsqueeze(full, [-2])
  const a2 = rankA === 1 ? build.unsqueeze(a, [0]) : a
  const b2 = rankB === 1 ? build.unsqueeze(b, [1]) : b
  const batch = batchOf(build.shape(output(node)), rankA, rankB)
  const gradientOf = (name: string, shape: Shape, product: string): string => {
    if (shape.length === 1) {
      // Summed over every batch axis and the extra one.
      return build.op('Reshape', [sumBatch(build, product, batch), build.ints([-1])])
    }
    return build.sumTo(product, batch && [...batch, ...shape.slice(-2)], name)
  }
  return [
    wanted[0]
      ? gradientOf(input(node, 0), shapeA, build.matMul(full, swapLastTwo(build, b2, Math.max(rankB, 2))))
      : null,
    wanted[1] ? gradientOf(input(node, 1), shapeB, rightGradient(build, a2, full, shapeA, shapeB)) : null,
  ]
}

/**
 * Aᵀ g, or (gᵀ A)ᵀ where g is the smaller one to transpose: an attention's probabilities are many, its values few.
 */
function rightGradient(build: Builder, a: string, g: string, shapeA: Shape, shapeB: Shape): string {
  const [columns, width] = [shapeA.at(-1) ?? null, shapeB.at(-1) ?? null]
  const narrow = typeof width === 'number' && (typeof columns !== 'number' || width < columns)
  const rank = Math.max(shapeA.length, shapeB.length)
  if (narrow && shapeA.length === rank && shapeB.length === rank && rank > 2)
    return swapLastTwo(build, build.matMul(swapLastTwo(build, g, rank), a), rank)
  return build.matMul(swapLastTwo(build, a, Math.max(shapeA.length, 2)), g)
}

function sumBatch(build: Builder, product: string, batch: Shape | null): string {
  return batch === null ? product : build.sum(product, Array.from(batch.keys()), false)
}

function batchOf(shape: Shape | null, rankA: number, rankB: number): Shape | null {
  if (shape === null) return null
  const kept = (rankA === 1 ? 0 : 1) + (rankB === 1 ? 0 : 1)
  return shape.slice(0, shape.length - kept)
}
export const matMul: RuleEntry = { refuses: ranksOf(0, 1), rule: matMulRule }

/** Weights from this many values on are read in part where that is enough. */
const LARGE = 2 ** 18

/**
 * The cotangent of logits mostly picks one class a row, and the product then needs those classes' weights only, where the
 * whole matrix would come from memory. g [N, K] and b with K classes along `axis` -> both with the classes that occur in g.
 */
function occurringClasses(build: Builder, g: string, b: string, axis: number): readonly [string, string] {
  const dims = build.value(b)?.dims ?? []
  if (g !== build.seed?.name || dims.length !== 2 || sizeOf(dims) < LARGE) return [g, b]
  const largest = build.op('ReduceMax', [build.op('Abs', [g]), build.ints([0])], { keepdims: 0 }) // [K]
  const classes = build.reshape(build.op('NonZero', [largest]), build.ints([-1]))
  return [build.op('Gather', [g, classes], { axis: 1 }), build.op('Gather', [b, classes], { axis })]
}

/** Y = alpha A' B' + beta C, A' and B' transposed where the attributes say so. */
export const gemm: RuleEntry = {
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const [a, b, c] = [input(node, 0), input(node, 1), input(node, 2)]
    const alpha = { float: floatAttribute(node, 'alpha') ?? 1 }
    const transA = intAttribute(node, 'transA') ?? 0
    const transB = intAttribute(node, 'transB') ?? 0
    const product = (left: string, right: string, tLeft: number, tRight: number): string =>
      build.op('Gemm', [left, right], { alpha, transA: tLeft, transB: tRight })
    const [gSome, bSome] = wanted[0] && !transA ? occurringClasses(build, g, b, transB ? 0 : 1) : [g, b]
    return [
      wanted[0] ? (transA ? product(b, g, transB, 1) : product(gSome, bSome, 0, 1 - transB)) : null,
      wanted[1] ? (transB ? product(g, a, 1, transA) : product(a, g, 1 - transA, 0)) : null,
      wanted[2] ? build.sumTo(build.scale(g, floatAttribute(node, 'beta') ?? 1), build.shape(output(node)), c) : null,
    ]
  },
}
