/**
 * CP-LRP (Ali et al. 2022, 2202.07304), by cotangents: gradient × input is the relevance, and is conserved but for biases.
 *
 * - Attention weights are constants (its AH rule): no gradient passes a softmax, and its product with the values is linear.
 * - LayerNorm and RMSNorm: the deviation is held constant (its LN rule), spelled out or not.
 * - Activations pass on what they get, x̄ = ȳ f(x) / x, as sums that conserve ask for; the authors' own code leaves them their
 *   gradient, which `activations: gradient` does.
 * - The paper has no products of two tensors that vary beside attention; where there are some (gates), each has half.
 */
import { z } from 'zod'
import { OPERATORS } from '../../operators/table.ts'
import { conserved, refusesUnlessConserved } from './conserving.ts'
import { passedActivations } from './passed.ts'
import { ruleSet, type BentRule } from './rule-set.ts'

const params = z.strictObject({
  activations: z.enum(['passed', 'gradient']).default('passed').meta({
    title: 'Activations',
    description: "passed: they hand on what they get, so that sums are kept. gradient: as in the authors' code.",
  }),
})
type Params = z.output<typeof params>

/** The passing rule, or the plain one, as the parameter says. */
function chosen(operator: string, passed: BentRule<Params>): BentRule<Params> {
  const plain = OPERATORS[operator]?.rule
  return (bent) => (bent.params.activations === 'gradient' && plain ? plain : passed(bent))
}

export const cpLrp = ruleSet({
  id: 'cp-lrp',
  summary: 'LRP for transformers with attention weights and deviations held constant.',
  params,
  needsReference: false,
  rules: {
    ...Object.fromEntries(
      Object.entries(passedActivations<Params>()).map(([operator, passed]) => [operator, chosen(operator, passed)]),
    ),
    ...conserved<Params>(),
  },
  holds: ['Softmax'],
  refuses: refusesUnlessConserved('CP-LRP'),
})
