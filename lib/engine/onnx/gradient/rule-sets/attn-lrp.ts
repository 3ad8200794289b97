/**
 * AttnLRP (Achtibat et al. 2024, 2402.05602), by cotangents: gradient × input is the relevance.
 *
 * - Softmax: the Taylor decomposition with its bias left out (proposition 3.1): R_i = x_i (R_i - s_i Σ R_j). Of relevance that
 *   is gradient × value this is the softmax's own gradient, times x. The bias keeps a share: sums are less than the score by it.
 * - Products of two tensors that vary: half to each (proposition 3.3), of matrices (attention) and of numbers (gates).
 * - LayerNorm and RMSNorm: the deviation is held constant (proposition 3.4), spelled out or not. Divisions by what varies too.
 * - Activations: x̄ = ȳ f(x) / x, the identity rule. Sums, linear layers: in proportion, biases keep theirs (ε → 0).
 * - Maxima give to the winner. Anything else that is not linear has no rule.
 */
import { z } from 'zod'
import { softmax } from '../../operators/rules/softmax.ts'
import { conserved, refusesUnlessConserved } from './conserving.ts'
import { passedActivations } from './passed.ts'
import { ruleSet, whole } from './rule-set.ts'

export const attnLrp = ruleSet({
  id: 'attn-lrp',
  summary: 'LRP for transformers: softmax by its Taylor decomposition, products shared, deviations held.',
  params: z.strictObject({}),
  needsReference: false,
  rules: { ...passedActivations(), ...conserved(), Softmax: whole(softmax) },
  refuses: refusesUnlessConserved('AttnLRP'),
})
