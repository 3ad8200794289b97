/** From logits to predictions. */
import { AppError } from '../errors.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import type { Link } from '../engine/head.ts'
import { probabilitiesOf } from './links.ts'

export interface Prediction {
  readonly index: number
  readonly label: string
  readonly logit: number
  /** The link of the logits, 0..1: over all classes for a softmax, each for itself for a sigmoid; null where there is none. */
  readonly probability: number | null
}

/** Every class, most probable first; ties in label order. @param logits [K] or [1, K]. */
export function predictionsOf(
  logits: FloatTensor,
  labels: readonly string[],
  link: Link = 'softmax',
): readonly Prediction[] {
  if (logits.data.length !== labels.length)
    throw new AppError({
      code: 'BAD_MODEL',
      message: `The model answers ${logits.data.length} classes and its card names ${labels.length}.`,
    })
  if (!logits.data.every(Number.isFinite))
    throw new AppError({
      code: 'BAD_RESULT',
      message: `logits are not finite: ${logits.data.join(', ')}`,
      userMessage: 'The model answered with numbers that are not finite, so there is nothing to explain.',
    })
  const probabilities = probabilitiesOf(logits.data, link)
  return labels
    .map((label, index) => ({
      index,
      label,
      logit: logits.data[index] ?? Number.NaN,
      probability: probabilities === null ? null : (probabilities[index] ?? Number.NaN),
    }))
    .sort((a, b) => b.logit - a.logit || a.index - b.index)
}
