/** What methods of either modality may have to say about a result. */
import { classOf, explainsScore } from '../../target/scalar.ts'
import type { Link } from '../../engine/head.ts'
import { sigmoid } from '../../target/links.ts'
import type { Target } from '../../target/target.ts'
import type { Modality } from '../../models/card.ts'
import type { Diagnosis } from '../diagnosis.ts'

/** p(1 - p) below this: the link hardly moves any more, whatever the input shows. */
const SATURATED = 1e-4

const SATURATION: Readonly<Record<Modality, (certain: boolean, link: Link) => string>> = {
  image: (certain) =>
    `The probability of this class is almost exactly ${certain ? 1 : 0}, where it hardly reacts to anything. ` +
    'The map explains the logit, which still does.',
  text: (certain, link) =>
    `The probability of this class is practically ${certain ? 1 : 0}, where it hardly reacts to any word. ` +
    `The scores explain the number before the ${link} instead.`,
}
const ZERO_GRADIENT: Readonly<Record<Modality, string>> = {
  image:
    'The gradient of this class is zero everywhere at this layer, so the map is empty: nothing in this layer changes the score. Try a later layer.',
  text: 'The gradient is zero at every token: no small change of any word would change the score of this class.',
}

/** Probability of a class and of its absence, each without cancellation. */
function classOdds(logits: ArrayLike<number>, index: number, link: Link): { probability: number; others: number } {
  if (link === 'sigmoid') return { probability: sigmoid(logits[index] ?? 0), others: sigmoid(-(logits[index] ?? 0)) }
  let largest = -Infinity
  for (let at = 0; at < logits.length; at++) largest = Math.max(largest, logits[at] as number)
  const own = Math.exp((logits[index] ?? Number.NaN) - largest)
  let others = 0
  for (let at = 0; at < logits.length; at++) if (at !== index) others += Math.exp((logits[at] as number) - largest)
  return { probability: own / (own + others), others: others / (own + others) }
}

const SATURATED_LINK = { softmax: 'SOFTMAX_SATURATED', sigmoid: 'SIGMOID_SATURATED' } as const

/**
 * SOFTMAX_SATURATED or SIGMOID_SATURATED where a score is explained whose probability is within 0.01 % of 0 or 1.
 * @param logits [K]
 */
export function saturation(
  modality: Modality,
  logits: ArrayLike<number>,
  target: Target,
  link: Link = 'softmax',
): readonly Diagnosis[] {
  const index = explainsScore(target) ? classOf(target, logits) : null
  if (index === null || link === 'none' || (link === 'softmax' && logits.length < 2)) return []
  const { probability, others } = classOdds(logits, index, link)
  if (!(probability * others < SATURATED)) return []
  return [{ code: SATURATED_LINK[link], severity: 'info', message: SATURATION[modality](probability > 0.5, link) }]
}

/** ZERO_GRADIENT where the largest |gradient| is exactly 0; null where the method reads none. */
export function zeroGradient(modality: Modality, largest: number | null): readonly Diagnosis[] {
  return largest === 0 ? [{ code: 'ZERO_GRADIENT', severity: 'warning', message: ZERO_GRADIENT[modality] }] : []
}
