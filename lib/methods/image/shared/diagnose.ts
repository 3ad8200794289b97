/** What the reader of a map must know about it. */
import { classOf, explainsScore } from '../../../target/scalar.ts'
import type { Target } from '../../../target/target.ts'
import type { FloatTensor } from '../../../tensor/tensor.ts'
import type { Diagnosis } from '../../diagnosis.ts'

/** p(1 - p) below this: the softmax hardly moves any more, whatever the picture shows. */
const SATURATED = 1e-4
/** A map whose values differ by less than this share of the largest is constant up to rounding. */
const CONSTANT = 1e-6

/** Probability of a class and of all others together, each without cancellation. */
function classOdds(logits: Float32Array, index: number): { probability: number; others: number } {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity)
  let own = 0
  let others = 0
  logits.forEach((logit, at) => {
    if (at === index) own = Math.exp(logit - largest)
    else others += Math.exp(logit - largest)
  })
  return { probability: own / (own + others), others: others / (own + others) }
}

function saturation(logits: FloatTensor, target: Target): Diagnosis | null {
  const index = explainsScore(target) ? classOf(target, logits.data) : null
  if (index === null || logits.data.length < 2) return null
  const { probability, others } = classOdds(logits.data, index)
  if (!(probability * others < SATURATED)) return null
  return {
    code: 'SOFTMAX_SATURATED',
    severity: 'info',
    message: `The probability of this class is almost exactly ${probability > 0.5 ? 1 : 0}, where it hardly reacts to anything. The map explains the logit, which still does.`,
  }
}

/**
 * Looks at a raw map and at what it was made of.
 *
 * @param map [H, W], raw and signed
 * @param logits [K]
 * @param target what is explained
 * @param largestGradient the largest |gradient| of that class's logit at the layer, where the method used one
 */
export function diagnoseMap(
  map: FloatTensor,
  logits: FloatTensor,
  target: Target,
  largestGradient: number | null,
): readonly Diagnosis[] {
  const diagnoses: Diagnosis[] = []
  let smallest = Infinity
  let largest = -Infinity
  for (const value of map.data) {
    smallest = Math.min(smallest, value)
    largest = Math.max(largest, value)
  }
  if (largestGradient === 0)
    diagnoses.push({
      code: 'ZERO_GRADIENT',
      severity: 'warning',
      message:
        'The gradient of this class is zero everywhere at this layer, so the map is empty: nothing in this layer changes the score. Try a later layer.',
    })
  else if (largest - smallest <= CONSTANT * Math.max(Math.abs(smallest), Math.abs(largest)))
    diagnoses.push({
      code: 'CONSTANT_MAP',
      severity: 'warning',
      message:
        'The map has the same value everywhere: at this layer no place in the picture counts more than another. Try another layer.',
    })
  if (largest <= 0 && smallest < 0)
    diagnoses.push({
      code: 'ALL_NEGATIVE',
      severity: 'warning',
      message:
        'No place in the picture speaks for this class: every value is negative or zero, so the rectified map is blank. Show the signed map to see what speaks against it.',
    })
  const saturated = saturation(logits, target)
  if (saturated !== null) diagnoses.push(saturated)
  return diagnoses
}
