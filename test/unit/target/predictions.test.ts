import { describe, expect, test } from 'vitest'
import { predictionsOf } from '../../../lib/target/predictions.ts'
import { softmax } from '../../../lib/target/links.ts'
import { float32 } from '../../../lib/tensor/tensor.ts'

const LABELS = ['cat', 'dog', 'horse']

describe('softmax', () => {
  test('is the closed form of two classes, a logistic function of their difference', () => {
    const [first] = softmax([1.5, -0.5])
    expect(first).toBeCloseTo(1 / (1 + Math.exp(-2)), 14)
  })

  test('does not overflow and sums to one', () => {
    const probabilities = softmax([1e4, 1e4 - 1, -1e4])
    expect(probabilities.every(Number.isFinite)).toBe(true)
    expect(probabilities.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 14)
    expect(probabilities[0]).toBeGreaterThan(probabilities[1] ?? 1)
  })
})

describe('predictionsOf', () => {
  test('sorts by logit, ties by class order', () => {
    const order = predictionsOf(float32([0.5, 2, 0.5], [1, 3]), LABELS).map((prediction) => prediction.label)
    expect(order).toEqual(['dog', 'cat', 'horse'])
  })

  test('a sigmoid is of each class for itself; without a link there is no probability', () => {
    const logits = float32([0.5, 2, -40], [1, 3])
    expect(predictionsOf(logits, LABELS, 'sigmoid').map(({ probability }) => probability)).toEqual(
      [2, 0.5, -40].map((z) => 1 / (1 + Math.exp(-z))),
    )
    expect(predictionsOf(logits, LABELS, 'none')).toEqual([
      { index: 1, label: 'dog', logit: 2, probability: null },
      { index: 0, label: 'cat', logit: 0.5, probability: null },
      { index: 2, label: 'horse', logit: -40, probability: null },
    ])
  })

  test('refuses logits that are not finite', () => {
    expect(() => predictionsOf(float32([0, Number.NaN, 1], [1, 3]), LABELS)).toThrow(
      expect.objectContaining({ code: 'BAD_RESULT' }),
    )
  })

  test('refuses a card that names another number of classes', () => {
    expect(() => predictionsOf(float32([0, 1], [1, 2]), LABELS)).toThrow(/answers 2 classes and its card names 3/)
  })
})
