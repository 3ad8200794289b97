/** What the reader of a map must know about it. */
import type { Link } from '../../../engine/head.ts'
import type { Target } from '../../../target/target.ts'
import type { FloatTensor } from '../../../tensor/tensor.ts'
import type { Diagnosis } from '../../diagnosis.ts'
import { saturation, zeroGradient } from '../../shared/diagnoses.ts'

/** A map whose values differ by less than this share of the largest is constant up to rounding. */
const CONSTANT = 1e-6

/**
 * Looks at a raw map and at what it was made of.
 *
 * @param map [H, W], raw and signed
 * @param logits [K]
 * @param target what is explained
 * @param largestGradient the largest |gradient| of that class's logit at the layer, where the method used one
 * @param link what makes probabilities of the logits
 */
export function diagnoseMap(
  map: FloatTensor,
  logits: FloatTensor,
  target: Target,
  largestGradient: number | null,
  link: Link = 'softmax',
): readonly Diagnosis[] {
  const diagnoses = [...zeroGradient('image', largestGradient)]
  let smallest = Infinity
  let largest = -Infinity
  for (const value of map.data) {
    smallest = Math.min(smallest, value)
    largest = Math.max(largest, value)
  }
  if (diagnoses.length === 0 && largest - smallest <= CONSTANT * Math.max(Math.abs(smallest), Math.abs(largest)))
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
  return [...diagnoses, ...saturation('image', logits.data, target, link)]
}
