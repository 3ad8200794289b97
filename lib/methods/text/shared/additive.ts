/** The result of a method whose scores share out a difference of the score. Letters: T tokens, K classes. */
import type { Target } from '../../../target/target.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { TextContext } from '../../context.ts'
import type { Diagnosis } from '../../diagnosis.ts'
import type { TextResult } from '../../method.ts'
import { saturation } from '../../shared/diagnoses.ts'
import { completenessDiagnosis, completenessOf, type Ends } from '../../shared/completeness.ts'
import { ofTokens } from './embedding.ts'

interface Additive {
  /** [T] or longer, where the model reads a fixed length. */
  readonly scores: Float64Array
  /** [K] */
  readonly logits: FloatTensor
  readonly target: Target
  readonly ends: Ends
  /** Gradients evaluated. */
  readonly points: number
  /** What to do where the scores do not add up; of a model that rounds as it runs something else is said. */
  readonly advice: string
}

/** Scores with the error of their sum, and what is to be said of both. */
export function additiveResult(context: TextContext, at: Additive): TextResult {
  const { scores, logits, target, ends, points } = at
  const stored = Float32Array.from(scores)
  const completeness = completenessOf(
    stored.reduce((sum, score) => sum + score, 0),
    ends,
    points,
  )
  const advice = context.model.batchDependent === true ? ROUNDED : at.advice
  return {
    kind: 'text',
    scores: ofTokens(context, float32(stored, [stored.length])),
    wordReduction: 'sum',
    logits,
    completeness,
    diagnoses: [
      ...allZero(scores),
      ...saturation('text', logits.data, target, context.head.link),
      ...completenessDiagnosis(completeness, ends, advice),
    ],
  }
}

/** Of a model that quantises what it computes: its gradients count rounding as the identity, its scores are stairs. */
const ROUNDED =
  'This model rounds what it computes to eight bits, with another scale for every input (dynamic quantisation): its scores ' +
  'go in steps, and the gradient is that of the float model, which more points do not bring closer. Occlusion asks the ' +
  'model itself; the float file of the model has exact scores.'

function allZero(scores: Float64Array): readonly Diagnosis[] {
  if (scores.some((score) => score !== 0)) return []
  return [
    {
      code: 'ZERO_GRADIENT',
      severity: 'warning',
      message:
        'Every score is zero: nothing on the way from the baseline to this text changes the score of the class, or the text equals the baseline.',
    },
  ]
}
