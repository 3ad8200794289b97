import { describe, expect, it } from 'vitest'
import { amountsOf, nonNegativeParts } from '../../../../lib/methods/shared/factorisation.ts'
import { randomStream } from '../../../../lib/methods/shared/random.ts'

/** Each part alone in some samples, so that there is one factorisation but for its order. */
const PARTS = [
  [1, 0, 0, 2, 0],
  [0, 3, 0, 1, 0],
  [0, 0, 1, 0, 1],
]
const { uniform } = randomStream(5, 'test')
const AMOUNTS = Array.from({ length: 12 }, (_, n) =>
  n < 6 ? PARTS.map((_part, r) => (n % 3 === r ? 1 + n : 0)) : PARTS.map(() => uniform()),
)
const SAMPLES = AMOUNTS.map((own) =>
  Float64Array.from({ length: 5 }, (_, d) => own.reduce((sum, one, r) => sum + one * (PARTS[r]?.[d] ?? NaN), 0)),
)
const unit = (part: readonly number[]): number[] => part.map((one) => one / Math.hypot(...part))

describe('nonNegativeParts', () => {
  it('finds the parts that samples are made of, each of unit length', () => {
    const { parts, amounts } = nonNegativeParts(SAMPLES, 3, 1)
    for (const part of PARTS) {
      const found = parts.findIndex((one) => unit(part).every((value, d) => Math.abs(value - (one[d] ?? NaN)) < 1e-3))
      expect(found).toBeGreaterThanOrEqual(0)
    }
    SAMPLES.forEach((sample, n) =>
      sample.forEach((value, d) => {
        const rebuilt = parts.reduce((sum, part, r) => sum + (part[d] ?? NaN) * (amounts[r]?.[n] ?? NaN), 0)
        expect(rebuilt).toBeCloseTo(value, 2)
      }),
    )
    expect([...parts, ...amounts].every((row) => row.every((one) => one >= 0))).toBe(true)
  })

  it('is the same for the same seed', () => {
    expect(nonNegativeParts(SAMPLES, 2, 9)).toEqual(nonNegativeParts(SAMPLES, 2, 9))
  })

  it('of nothing but zeros has no amounts', () => {
    const { amounts } = nonNegativeParts([new Float64Array(4), new Float64Array(4)], 2, 0)
    expect(amounts.every((own) => own.every((one) => one === 0))).toBe(true)
  })
})

it('amountsOf given parts are what samples were made with', () => {
  const found = amountsOf(
    SAMPLES,
    PARTS.map((part) => Float64Array.from(part)),
  )
  AMOUNTS.forEach((own, n) => own.forEach((amount, r) => expect(found[r]?.[n]).toBeCloseTo(amount, 6)))
})
