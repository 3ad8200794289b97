/** The result of a method whose scores add up to what the picture changed, compared with its baseline. */
import { float32 } from '../../../tensor/tensor.ts'
import type { Diagnosis } from '../../diagnosis.ts'
import type { ImageResult } from '../../method.ts'
import { completenessDiagnosis, completenessOf, type Ends } from '../../shared/completeness.ts'
import type { Asked } from './asked.ts'
import { diagnosePixels } from './diagnose-pixels.ts'

export interface Scored {
  /** [H * W] */
  readonly scores: ArrayLike<number>
  readonly ends: Ends
  /** Gradients evaluated. */
  readonly points: number
  /** What helps where the scores do not add up. */
  readonly advice: string
  /** Nothing lies between the picture and its baseline. */
  readonly same?: boolean
}

const SAME: Diagnosis = {
  code: 'SAME_AS_BASELINE',
  severity: 'warning',
  message:
    'The picture is the same as its baseline, so there is nothing to compare and the map is empty. Choose another baseline.',
}

export function completeResult(
  { asking, logits }: Asked,
  { scores, ends, points, advice, same = false }: Scored,
): ImageResult {
  const [, , height = 0, width = 0] = asking.picture.dims
  const map = float32(Float32Array.from(scores), [height, width])
  const completeness = completenessOf(
    map.data.reduce((sum, one) => sum + one, 0),
    ends,
    points,
  )
  const found = diagnosePixels(asking, map, logits, asking.target, null)
  return {
    kind: 'image',
    map,
    layer: null,
    logits,
    completeness,
    diagnoses: [
      ...(same ? [SAME] : []),
      ...completenessDiagnosis(completeness, ends, advice, 'image'),
      ...found.filter(({ code }) => !same || code !== 'CONSTANT_MAP'),
    ],
  }
}

export function sameNumbers(one: ArrayLike<number>, other: ArrayLike<number>): boolean {
  return one.length === other.length && Array.prototype.every.call(one, (value, at) => value === other[at])
}
