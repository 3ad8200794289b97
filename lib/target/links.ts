/** From scores to probabilities, in double precision. */
import type { Link } from '../engine/head.ts'

/** Softmax. @param logits [K]. @returns [K], summing to 1. */
export function softmax(logits: ArrayLike<number>): number[] {
  const values = Array.from(logits)
  const largest = Math.max(...values)
  const exponentials = values.map((value) => Math.exp(value - largest))
  const sum = exponentials.reduce((total, value) => total + value, 0)
  return exponentials.map((value) => value / sum)
}

/** The logistic function of one score, 0..1. */
export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit))
}

/** Probabilities of every class; null where the scores are not of that kind. @param logits [K] @returns [K] */
export function probabilitiesOf(logits: ArrayLike<number>, link: Link): number[] | null {
  if (link === 'none') return null
  return link === 'softmax' ? softmax(logits) : Array.from(logits, sigmoid)
}
