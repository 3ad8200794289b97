/**
 * What the sets for transformers share, so that gradient times input is conserved where the gradient itself is not: products of
 * two tensors that both vary, and divisions by how far numbers are spread.
 */
import { placeOf, type Builder } from '../../graph/builder.ts'
import { floatAttribute, intAttribute, type GraphNode } from '../../graph/graph.ts'
import { div, mul } from '../../operators/rules/arithmetic.ts'
import { einsum } from '../../operators/rules/einsum.ts'
import { gemm, matMul } from '../../operators/rules/matmul.ts'
import { standardise } from '../../operators/rules/normalization.ts'
import { input, output, ranksOf, type RuleEntry } from '../../operators/rules/rule.ts'
import { isLinear } from './linear.ts'
import { PASSING } from './passed.ts'
import type { Bent, BentRule } from './rule-set.ts'

/** y = a b, both of which vary: each has half of what y has, as its gradient times itself would have all of it. */
const halved =
  <P>(entry: RuleEntry): BentRule<P> =>
  ({ depends }) => ({
    ...entry,
    refuses: (node, build) => {
      const varying = node.inputs.filter((name) => depends(name)).length
      return varying > 2 ? 'several of its operands vary with the input' : (entry.refuses?.(node, build) ?? null)
    },
    rule: (node, [g = null, ...others], build, wanted) => {
      const both = depends(input(node, 0)) && depends(input(node, 1))
      return entry.rule(node, [g !== null && both ? build.scale(g, 0.5) : g, ...others], build, wanted)
    },
  })

/**
 * a / b, as what a normalisation is made of: b is held constant where a varies too. Where b alone does, 1 / b is a function of
 * single numbers, and passes on what it gets.
 */
function divided<P>({ depends }: Bent<P>): RuleEntry {
  return {
    ...div,
    constants: [1],
    rule: (node, [g = null], build, wanted) => {
      if (!g) return []
      const [a, b] = [input(node, 0), input(node, 1)]
      if (!depends(a)) return [null, wanted[1] ? build.div(build.mul(g, output(node)), b) : null]
      return [wanted[0] ? build.div(g, b) : null, null]
    },
  }
}

const scaleVaries =
  <P>({ depends }: Bent<P>) =>
  (node: GraphNode): string | null =>
    depends(input(node, 1)) || depends(input(node, 2)) ? 'its scale or bias varies with the input' : null

/** The axes that a normalisation is over. */
function normalised(build: Builder, node: GraphNode): readonly number[] {
  const shape = build.shapeFor(node, input(node, 0))
  const first = placeOf(intAttribute(node, 'axis') ?? -1, shape.length)
  return Array.from({ length: shape.length - first }, (_, axis) => first + axis)
}

const epsilonOf = (node: GraphNode): number => floatAttribute(node, 'epsilon') ?? 1e-5

/** y = (x - mean) / σ scale + bias with σ held constant: what is left is linear, x̄ = u - mean u, u = ȳ scale / σ. */
function layerNormalised<P>(bent: Bent<P>): RuleEntry {
  const rank = ranksOf(0)
  return {
    refuses: (node, build) => rank(node, build) ?? scaleVaries(bent)(node),
    rule: (node, [g = null], build, wanted) => {
      if (!g || !wanted[0]) return []
      const axes = normalised(build, node)
      const { inverseDeviation } = standardise(build, input(node, 0), axes, epsilonOf(node))
      const u = build.mul(build.mul(g, input(node, 1)), inverseDeviation)
      return [build.sub(u, build.mean(u, axes))]
    },
  }
}

/** y = x / rms(x) scale with the root mean square held constant. */
function rmsNormalised<P>(bent: Bent<P>): RuleEntry {
  const rank = ranksOf(0)
  return {
    refuses: (node, build) => rank(node, build) ?? scaleVaries(bent)(node),
    rule: (node, [g = null], build, wanted) => {
      if (!g || !wanted[0]) return []
      const x = input(node, 0)
      const square = build.mean(build.mul(x, x), normalised(build, node))
      const root = build.op('Sqrt', [build.add(square, build.float(epsilonOf(node)))])
      return [build.div(build.mul(g, input(node, 1)), root)]
    },
  }
}

/** Rows of every set for transformers. */
export function conserved<P>(): Readonly<Record<string, BentRule<P>>> {
  return {
    Div: divided,
    Einsum: halved(einsum),
    Gemm: halved(gemm),
    LayerNormalization: layerNormalised,
    MatMul: halved(matMul),
    Mul: halved(mul),
    RMSNormalization: rmsNormalised,
  }
}

/** Why a set that conserves refuses an operator that it has no row for. */
export function refusesUnlessConserved(name: string): (operator: string) => string | null {
  return (operator) => (isLinear(operator) || PASSING.has(operator) ? null : `${name} has no rule for it`)
}
