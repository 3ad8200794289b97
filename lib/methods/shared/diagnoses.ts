/** What methods of either modality may have to say about a result. */
import { classOf, explainsScore } from '../../target/scalar.ts'
import type { Target } from '../../target/target.ts'
import type { Modality } from '../../models/card.ts'
import type { Diagnosis } from '../diagnosis.ts'

/** p(1 - p) below this: the softmax hardly moves any more, whatever the input shows. */
const SATURATED = 1e-4

const SATURATION: Readonly<Record<Modality, (certain: boolean) => string>> = {
  image: (certain) =>
    `The probability of this class is almost exactly ${certain ? 1 : 0}, where it hardly reacts to anything. ` +
    'The map explains the logit, which still does.',
  text: (certain) =>
    `The probability of this class is practically ${certain ? 1 : 0}, where it hardly reacts to any word. ` +
    'The scores explain the number before the softmax instead.',
}
const ZERO_GRADIENT: Readonly<Record<Modality, string>> = {
  image:
    'The gradient of this class is zero everywhere at this layer, so the map is empty: nothing in this layer changes the score. Try a later layer.',
  text: 'The gradient is zero at every token: no small change of any word would change the score of this class.',
}

/** Probability of a class and of all others together, each without cancellation. */
function classOdds(logits: ArrayLike<number>, index: number): { probability: number; others: number } {
  const values = Array.from(logits)
  const largest = values.reduce((most, logit) => Math.max(most, logit), -Infinity)
  let own = 0
  let others = 0
  values.forEach((logit, at) => {
    if (at === index) own = Math.exp(logit - largest)
    else others += Math.exp(logit - largest)
  })
  return { probability: own / (own + others), others: others / (own + others) }
}

/** SOFTMAX_SATURATED where a score is explained whose probability is within 0.01 % of 0 or 1. @param logits [K] */
export function saturation(modality: Modality, logits: ArrayLike<number>, target: Target): readonly Diagnosis[] {
  const index = explainsScore(target) ? classOf(target, logits) : null
  if (index === null || logits.length < 2) return []
  const { probability, others } = classOdds(logits, index)
  if (!(probability * others < SATURATED)) return []
  return [{ code: 'SOFTMAX_SATURATED', severity: 'info', message: SATURATION[modality](probability > 0.5) }]
}

/** ZERO_GRADIENT where the largest |gradient| is exactly 0; null where the method reads none. */
export function zeroGradient(modality: Modality, largest: number | null): readonly Diagnosis[] {
  return largest === 0 ? [{ code: 'ZERO_GRADIENT', severity: 'warning', message: ZERO_GRADIENT[modality] }] : []
}
