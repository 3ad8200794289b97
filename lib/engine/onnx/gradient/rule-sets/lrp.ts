/**
 * Layer-wise relevance propagation with the z, ε and γ rules (Bach 2015, 10.1371/journal.pone.0130140; Montavon 2019,
 * 10.1007/978-3-030-28954-6_10, table 10.1), by cotangents: at every tensor the cotangent times the value is the relevance, so
 * gradient × input is the explanation.
 *
 * - y = W x + b: R_x = x Wᵀ (R_y / (z + ε sign z)), with z = y, or z = (W + γ W⁺) x + b and W + γ W⁺ in W's place. The bias is
 *   in the denominator and takes its share away; γ leaves it as it is (as Captum; zennit raises it as well). sign 0 is 1.
 *   A bias that is added behind a product is the product's. ε = 0 and γ = 0: the z rule, which is the gradient's.
 * - Activations pass relevance on: x̄ = ȳ f(x) / x, the gradient where |x| is at most 1e-10. Fused and spelled-out ones are one.
 * - Sums and average pooling share in proportion, maxima give to the winner: their plain rules say so already.
 * - Batch normalisation is an affine map by itself; fold it into its convolution first where it should not be.
 * - Products and quotients of what depends on the input, softmax and normalisations have no rule: those are AttnLRP's.
 */
import { z } from 'zod'
import type { Builder } from '../../graph/builder.ts'
import { floatConstant, floatsOf } from '../../graph/constant.ts'
import { floatAttribute, type Graph, type GraphNode } from '../../graph/graph.ts'
import { consumersOf } from '../../graph/walks.ts'
import { div, mul } from '../../operators/rules/arithmetic.ts'
import { attention } from '../../operators/rules/attention.ts'
import { conv, convTranspose } from '../../operators/rules/convolution.ts'
import { einsum } from '../../operators/rules/einsum.ts'
import { gemm, matMul } from '../../operators/rules/matmul.ts'
import {
  batchFactor,
  batchNormalization,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
  rmsNormalization,
} from '../../operators/rules/normalization.ts'
import { firstOf, input, output, type RuleEntry } from '../../operators/rules/rule.ts'
import { inOneOperand, isLinear } from './linear.ts'
import { PASSING, passedActivations } from './passed.ts'
import { ruleSet, type Bent } from './rule-set.ts'

const params = z.strictObject({
  epsilon: z.number().nonnegative().default(1e-6).meta({
    title: 'ε',
    description: 'Added to the size of what relevance is divided by: absorbs weak and contradictory evidence.',
  }),
  gamma: z.number().nonnegative().default(0).meta({
    title: 'γ',
    description: 'By how much positive weights count more than negative ones.',
  }),
})
type Params = z.output<typeof params>
type At = Bent<Params>

/** g y / (z + ε sign z): the cotangent of z's linear map that hands y's relevance on. 0 where it would be divided by 0. */
function stabilised(build: Builder, { params: { epsilon } }: At, g: string, y: string, z: string): string {
  if (epsilon === 0 && y === z) return g
  const zero = build.float(0)
  const whole =
    epsilon === 0
      ? z
      : build.add(z, build.where(build.op('Less', [z, zero]), build.float(-epsilon), build.float(epsilon)))
  const empty = build.op('Equal', [whole, zero])
  return build.keep(build.div(build.mul(g, y), build.where(empty, build.float(1), whole)), empty, true)
}

/** w + γ w⁺, or w + γ w⁻ where a negative factor stands before it. */
function raised(build: Builder, w: string, gamma: number, positive: boolean): string {
  return build.once(`raised ${gamma} ${positive} ${w}`, () => {
    const constant = build.value(w)
    const sign = positive ? 1 : -1
    if (constant !== undefined)
      return build.constant(
        floatConstant(
          floatsOf(constant).map((one) => (one * sign > 0 ? one * (1 + gamma) : one)),
          constant.dims,
        ),
      )
    const part = build.scale(build.op('Relu', [build.scale(w, sign)]), gamma * sign)
    return build.add(w, part)
  })
}

const readers = new WeakMap<Graph, ReadonlyMap<string, readonly GraphNode[]>>()

/** The sum of a product with a bias, where that is its only reader. */
function biasedBy(build: Builder, bent: At, node: GraphNode): { readonly y: string; readonly bias: string } | null {
  const { graph } = build
  const known = readers.get(graph) ?? consumersOf(graph.nodes)
  readers.set(graph, known)
  const [reader, ...others] = known.get(output(node)) ?? []
  if (input(node, 2) !== '' || reader?.operator !== 'Add' || reader.domain !== '' || others.length > 0) return null
  const bias = reader.inputs.find((name) => name !== output(node))
  return bias === undefined || bent.depends(bias) ? null : { y: output(reader), bias }
}

/** y = W x + b, by an operator of x and W in either place. */
const weighted =
  (entry: RuleEntry) =>
  (bent: At): RuleEntry => ({
    ...inOneOperand(entry, (name) => bent.depends(name)),
    rule: (node, [g = null, ...others], build, wanted) => {
      if (!g || (!wanted[0] && !wanted[1])) return entry.rule(node, [g, ...others], build, wanted)
      const { gamma } = bent.params
      const biased = biasedBy(build, bent, node)
      const y = biased?.y ?? output(node)
      if (gamma === 0) return entry.rule(node, [stabilised(build, bent, g, y, y), ...others], build, wanted)
      const positive = (floatAttribute(node, 'alpha') ?? 1) > 0
      const place = wanted[0] ? 1 : 0
      const inputs = node.inputs.map((name, at) => (at === place ? raised(build, name, gamma, positive) : name))
      const product = build.op(node.operator, inputs, node.attributes)
      const whole = biased === null ? product : build.add(product, biased.bias)
      return entry.rule({ ...node, inputs }, [stabilised(build, bent, g, y, whole), ...others], build, wanted)
    },
  })

/** y = s x + b with one s a channel. */
const affine = (bent: At): RuleEntry => ({
  ...batchNormalization,
  refuses: firstOf(...(batchNormalization.refuses ? [batchNormalization.refuses] : []), (node) =>
    node.inputs.slice(1).some((name) => bent.depends(name)) ? 'its statistics depend on the input' : null,
  ),
  rule: (node, [g], build) => {
    if (!g) return []
    const [x, y, factor] = [input(node, 0), output(node), batchFactor(build, node)]
    const { gamma } = bent.params
    if (gamma === 0) return [build.mul(stabilised(build, bent, g, y, y), factor)]
    const more = build.scale(build.op('Relu', [factor]), gamma)
    const z = build.add(y, build.mul(x, more))
    return [build.mul(stabilised(build, bent, g, y, z), build.add(factor, more))]
  },
})

const linear =
  (entry: RuleEntry) =>
  (bent: At): RuleEntry =>
    inOneOperand(entry, (name) => bent.depends(name))

/** Refused whole, so that one name says why, and not the operators that it is made of. */
const byInput = (entry: RuleEntry) => (): RuleEntry => ({
  ...entry,
  refuses: () => 'what it divides by or weighs with varies with the input',
})

export const lrp = ruleSet({
  id: 'lrp',
  summary: 'Layer-wise relevance propagation by the z, ε and γ rules: gradient times input is the relevance.',
  params,
  needsReference: false,
  rules: {
    ...passedActivations<Params>(),
    Attention: byInput(attention),
    BatchNormalization: affine,
    Conv: weighted(conv),
    ConvTranspose: weighted(convTranspose),
    Div: (bent) => ({
      ...div,
      refuses: (node) => (bent.depends(input(node, 1)) ? 'by what varies with the input' : null),
    }),
    Einsum: linear(einsum),
    Gemm: weighted(gemm),
    GroupNormalization: byInput(groupNormalization),
    InstanceNormalization: byInput(instanceNormalization),
    LayerNormalization: byInput(layerNormalization),
    MatMul: weighted(matMul),
    Mul: linear(mul),
    RMSNormalization: byInput(rmsNormalization),
  },
  refuses: (operator) => (isLinear(operator) || PASSING.has(operator) ? null : 'LRP has no rule for it'),
})
