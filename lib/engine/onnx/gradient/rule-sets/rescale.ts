/**
 * DeepLIFT with the rescale rule (Shrikumar 2017, 1704.02685, section 3.5.1): multipliers in the gradient's place, so that
 * their products with the difference from the reference add up to the difference of the outputs. With Δ for a difference from
 * the reference and m for multipliers:
 *
 * - y = f(x) of single numbers: m_x = m_y Δy / Δx; where |Δx| is at most `guard`, the gradient (as Captum, whose guard it is).
 * - Linear operators: plain. Fused and spelled-out functions are one f, normalisations and attention are taken apart.
 * - Products of two factors that differ from the reference: each factor times the mean of the other and its reference,
 *   which is exact and treats both alike (the Shapley values of the two). Quotients are products with a reciprocal.
 * - Softmax: y = exp(x - L), L = log Σ exp x, each step by its own rescale rule. Exact; no number is left out, as a quotient
 *   Δy / Δx of single numbers would where Δx is 0. (Captum takes that quotient, less its mean over the whole batch.)
 * - Max pooling: as Captum. Where windows overlap the parts add up, where Captum keeps one of them.
 *
 * Anything else that is not linear has no rule.
 */
import { z } from 'zod'
import type { Builder } from '../../graph/builder.ts'
import type { Graph, GraphNode } from '../../graph/graph.ts'
import { producersOf } from '../../graph/walks.ts'
import { where } from '../../operators/rules/arithmetic.ts'
import { conv, convTranspose } from '../../operators/rules/convolution.ts'
import { einsum } from '../../operators/rules/einsum.ts'
import { gemm, matMul, matMulGradients } from '../../operators/rules/matmul.ts'
import { maxPool } from '../../operators/rules/pooling.ts'
import { elementwise, input, output, type RuleEntry } from '../../operators/rules/rule.ts'
import { inOneOperand, isLinear } from './linear.ts'
import { pointwise } from './pointwise.ts'
import { rescaledSoftmax } from './rescaled-softmax.ts'
import { ruleSet, type Bent } from './rule-set.ts'

const params = z.strictObject({
  guard: z.number().nonnegative().default(1e-10).meta({
    title: 'Guard',
    description: 'Differences from the reference up to this size have the gradient for a multiplier.',
  }),
})
type At = Bent<z.output<typeof params>>

/** What the two passes have of a tensor. */
const both = (bent: At, name: string): readonly [string, string] => [name, bent.reference(name)]

function mean(build: Builder, bent: At, name: string): string {
  const [here, there] = both(bent, name)
  return here === there ? here : build.once(`mean ${name}`, () => build.scale(build.add(here, there), 0.5))
}

/** a / b where |b| is above the guard; elsewhere, and where b is not a number, `otherwise`. */
function quotient(build: Builder, bent: At, a: string, b: string, otherwise: string): string {
  const far = build.op('Greater', [build.op('Abs', [b]), build.float(bent.params.guard)])
  return build.where(far, build.div(a, b), otherwise)
}

const mul = (bent: At): RuleEntry =>
  elementwise(
    (build, [, b = ''], _y, g) => build.mul(g, mean(build, bent, b)),
    (build, [a = ''], _y, g) => build.mul(g, mean(build, bent, a)),
  )

/** a · (1 / b): the difference of reciprocals over that of b is -1 / (b b'). */
const div = (bent: At): RuleEntry =>
  elementwise(
    (build, [, b = ''], _y, g) => {
      const [here, there] = both(bent, b)
      if (here === there) return build.div(g, b)
      const inverse = build.add(build.op('Reciprocal', [here]), build.op('Reciprocal', [there]))
      return build.mul(g, build.scale(inverse, 0.5))
    },
    (build, [a = '', b = ''], _y, g) => {
      const [here, there] = both(bent, b)
      return build.neg(build.div(build.mul(g, mean(build, bent, a)), build.mul(here, there)))
    },
  )

const product = (bent: At): RuleEntry => ({
  ...matMul,
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const [a, b] = [input(node, 0), input(node, 1)].map((name) => mean(build, bent, name)) as [string, string]
    return matMulGradients(build, node, g, { a, b }, wanted)
  },
})
const gemmProduct = (bent: At): RuleEntry => ({
  ...gemm,
  rule: (node, cotangents, build, wanted) => {
    const [a = '', b = '', ...rest] = node.inputs
    return gemm.rule(
      { ...node, inputs: [mean(build, bent, a), mean(build, bent, b), ...rest] },
      cotangents,
      build,
      wanted,
    )
  },
})

/** Whether a tensor is no weight, the same in both passes. */
const varies = (bent: At, name: string): boolean => bent.depends(name) || bent.reference(name) !== name

/** Kernels, and the factors of a sum of products, are weights. */
const weighted =
  (entry: RuleEntry) =>
  (bent: At): RuleEntry =>
    inOneOperand(entry, (name) => varies(bent, name))

const makers = new WeakMap<Graph, ReadonlyMap<string, GraphNode>>()

/** Torch's guard, Where(IsNaN(p), 0, p): it chooses where nothing may be attended to, which the mask says, alike in both passes. */
function isGuard({ graph }: Builder, condition: string): boolean {
  const known = makers.get(graph) ?? producersOf(graph.nodes)
  makers.set(graph, known)
  return known.get(condition)?.operator === 'IsNaN'
}

/** Linear where both passes choose alike: masks. */
const chosen = (bent: At): RuleEntry => ({
  ...where,
  refuses: (node, build) =>
    bent.reference(input(node, 0)) === input(node, 0) || isGuard(build, input(node, 0))
      ? null
      : 'its condition is another one in the reference pass',
})

/**
 * Where the input's maximum is the larger one, its difference from the reference's goes to the place of the input's; where the
 * reference's is, to the place of that. Divided by the difference of what lies there.
 */
const pooled = (bent: At): RuleEntry => ({
  ...maxPool,
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const [[x, xThere], [y, yThere]] = [both(bent, input(node, 0)), both(bent, output(node))]
    const [gradient = null] = maxPool.rule(node, [g], build, wanted)
    if (x === xThere || gradient === null) return [gradient]
    const larger = build.op('Max', [y, yThere])
    const widened = build.op('Expand', [xThere, build.shapeOf(x)])
    const there = { ...node, inputs: [widened], outputs: [`${yThere}/limelight-widened`] }
    const parts = [
      maxPool.rule(node, [build.mul(g, build.sub(larger, yThere))], build, wanted)[0],
      maxPool.rule(there, [build.mul(g, build.sub(y, larger))], build, wanted)[0],
    ] as [string, string]
    return [quotient(build, bent, build.add(...parts), build.sub(x, xThere), gradient)]
  },
})

export const rescale = ruleSet({
  id: 'rescale',
  summary: 'DeepLIFT: multipliers that add up to the difference from a reference.',
  params,
  needsReference: true,
  rules: {
    ...pointwise<z.output<typeof params>>({
      varies,
      bend: (build, { x, y, g, plain }, bent) => {
        const [here, there] = both(bent, x)
        if (here === there) return plain
        const [yHere, yThere] = both(bent, y)
        return quotient(build, bent, build.mul(g, build.sub(yHere, yThere)), build.sub(here, there), plain)
      },
    }),
    Conv: weighted(conv),
    ConvTranspose: weighted(convTranspose),
    Div: div,
    Einsum: weighted(einsum),
    Gemm: gemmProduct,
    LogSoftmax: (bent) => rescaledSoftmax(bent, true),
    MatMul: product,
    MaxPool: pooled,
    Mul: mul,
    Softmax: (bent) => rescaledSoftmax(bent, false),
    Where: chosen,
  },
  refuses: (operator) => (isLinear(operator) ? null : 'DeepLIFT has no rule for it'),
})
