/**
 * LibraGrad's gradient (Mehri et al. 2024, 2411.16760): backward paths pruned and scaled so that gradient × input and the
 * biases' shares add up to the score (FullGrad-completeness). Whatever reads a gradient can read this one.
 *
 * - Pruned: the attention map, so that attention is linear in its values; the deviation of LayerNorm and RMSNorm and other
 *   norms that are divided by; the gate of an activation x σ(x), which leaves ȳ f(x) / x.
 * - Scaled by a half: products of two tensors that both vary (gated feed-forward layers).
 *
 * On encoders of attention, normalisations and activations this is CP-LRP; the paper derives it for gradients at large.
 */
import { z } from 'zod'
import { conserved, refusesUnlessConserved } from './conserving.ts'
import { passedActivations } from './passed.ts'
import { ruleSet } from './rule-set.ts'

export const libra = ruleSet({
  id: 'libra',
  summary: 'LibraGrad: gradients of transformers with paths pruned and scaled until they are complete.',
  params: z.strictObject({}),
  needsReference: false,
  rules: { ...passedActivations(), ...conserved() },
  holds: ['Softmax'],
  refuses: refusesUnlessConserved('LibraGrad'),
})
