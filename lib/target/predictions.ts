/** From logits to predictions, and from what a user called a class to its index. */
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

/** A class by name or by index; both only if they agree. */
export interface TargetRequest {
  readonly label?: string | null | undefined
  readonly index?: number | null | undefined
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

/**
 * The index of the class asked for; null when none was asked for (the predicted class is meant).
 * @throws AppError UNKNOWN_LABEL when the model has no such class, or label and index name two different ones.
 */
export function resolveTarget(target: TargetRequest | null | undefined, labels: readonly string[]): number | null {
  const label = target?.label ?? null
  const index = target?.index ?? null
  const known = `The classes are ${labels.slice(0, 20).join(', ')}${labels.length > 20 ? ', ...' : ''}.`
  if (index !== null && (!Number.isInteger(index) || index < 0 || index >= labels.length))
    throw new AppError({
      code: 'UNKNOWN_LABEL',
      message: `There is no class with index ${index}; it must be 0 to ${labels.length - 1}. ${known}`,
      details: { index, labels: labels.slice(0, 20) },
    })
  if (label === null) return index
  const wanted = label.trim()
  const exact = labels.indexOf(wanted)
  const found = exact < 0 ? labels.findIndex((one) => one.toLowerCase() === wanted.toLowerCase()) : exact
  if (found < 0)
    throw new AppError({
      code: 'UNKNOWN_LABEL',
      message: `There is no class "${label}". ${known}`,
      details: { label, labels: labels.slice(0, 20) },
    })
  if (index !== null && index !== found)
    throw new AppError({
      code: 'UNKNOWN_LABEL',
      message: `The target names two classes: label "${label}" is index ${found}, and index is ${index}. Give one.`,
    })
  return found
}
