import { expect, test } from 'vitest'
import { completenessDiagnosis, completenessOf, errorAllowed } from '../../../../lib/methods/shared/completeness.ts'

const message = (sum: number, ends: { input: number; baseline: number }) =>
  completenessDiagnosis(completenessOf(sum, ends, 9), ends, 'Use more steps.')[0]?.message

test('the error is relative to the difference', () => {
  expect(completenessOf(3.3, { input: 4, baseline: 1 }, 9)).toEqual({
    sum: 3.3,
    expected: 3,
    error: expect.closeTo(0.1, 9) as number,
    points: 9,
  })
})

test('without a difference the error is still a finite number', () => {
  expect(completenessOf(0, { input: 2, baseline: 2 }, 9).error).toBe(0)
  expect(completenessOf(1e-3, { input: 2, baseline: 2 }, 9).error).toBe(1e-3 / 2e-7)
})

test('within the bound there is nothing to say; above it there is, with advice', () => {
  expect(message(3.02, { input: 4, baseline: 1 })).toBeUndefined()
  expect(message(3.3, { input: 4, baseline: 1 })).toMatch(/an error of 10 % at 9 points .* Use more steps\./u)
})

test('a difference near zero is named as the cause', () => {
  expect(message(0.02, { input: 4.01, baseline: 4 })).toContain('nearly as the text itself')
})

test('the parts of a path may be half the bound off together', () => {
  expect(errorAllowed({ input: 4, baseline: 1 })).toBeCloseTo(0.015, 12)
  expect(errorAllowed({ input: 1, baseline: 4 })).toBeCloseTo(0.015, 12)
  expect(errorAllowed({ input: 4, baseline: 4 })).toBeCloseTo(4e-5, 12)
})

test('rounding needs no more points, but is said when it is more than 1 %', () => {
  const ends = { input: 4.00001, baseline: 4 }
  const completeness = completenessOf(2e-5, ends, 9)
  expect(completeness.error).toBeGreaterThan(0.01)
  expect(Math.abs(completeness.sum - completeness.expected)).toBeLessThanOrEqual(errorAllowed(ends))
  expect(message(2e-5, ends)).toContain('nearly as the text itself')
})
