/** Against SciPy 1.17.1. */
import { expect, test } from 'vitest'
import {
  areaUnder,
  correlationInterval,
  kendallTau,
  meanInterval,
  pearson,
  ranksOf,
  spearman,
} from '../../../lib/metrics/shared/statistics.ts'
import { byFallingScore } from '../../../lib/metrics/shared/ranking.ts'

const A = [1, 2, 2, 3, 5, 4, 4, 7]
const B = [2, 1, 3, 3, 6, 4, 8, 8]

test('correlations, with ties', () => {
  expect(kendallTau(A, B)).toBeCloseTo(0.76923076923077, 12)
  expect(spearman(A, B)).toBeCloseTo(0.8780487804878, 12)
  expect(pearson(A, B)).toBeCloseTo(0.84697718325188, 12)
  expect(kendallTau([1, 1, 1], [1, 2, 3])).toBeNull()
  expect(spearman([1, 2, 3], [4, 4, 4])).toBeNull()
  expect(Array.from(ranksOf([3, 1, 3, 2]))).toEqual([3.5, 1, 3.5, 2])
})

test('what rounding leaves of equal numbers does not vary', () => {
  const level = [0.1 + 0.2, 0.3, 0.3, 0.3]
  expect(pearson(level, [1, 2, 3, 4])).toBeNull()
})

test('intervals', () => {
  const [low, high] = meanInterval([1, 2, 4, 8]) ?? []
  expect(low).toBeCloseTo(-1.17594304823029, 6)
  expect(high).toBeCloseTo(8.6759430482303, 6)
  const many = Array.from({ length: 41 }, (_, at) => at)
  const [least, most] = meanInterval(many) ?? []
  expect(least).toBeCloseTo(16.21891416831676, 5)
  expect(most).toBeCloseTo(23.78108583168324, 5)
  expect(meanInterval([1])).toBeNull()
  const [weak, strong] = correlationInterval(0.5, 20) ?? []
  expect(weak).toBeCloseTo(0.07381057440741, 6)
  expect(strong).toBeCloseTo(0.77176070642992, 6)
})

test('equal scores keep their order', () => {
  expect(Array.from(byFallingScore([1, 3, 1, 3, -2]))).toEqual([1, 3, 0, 2, 4])
  expect(Array.from(byFallingScore(new Float32Array(300)))).toEqual(Array.from({ length: 300 }, (_, at) => at))
})

test('float32 rank as any numbers do: below 0, at both zeros, at the ends', () => {
  const values = [0, -0, 1e-45, -1e-45, 3.4e38, -3.4e38, 0.5, -0.5, 0.5, 1, -1, 0]
  const many = [...values, ...Array.from({ length: 500 }, (_, at) => Math.fround(Math.sin(at * at)))]
  const rounded = many.map(Math.fround)
  expect(byFallingScore(Float32Array.from(many))).toEqual(byFallingScore(rounded))
})

test('the area under a line is its middle', () => {
  expect(areaUnder([0, 0.5, 1])).toBeCloseTo(0.5, 12)
  expect(areaUnder([1])).toBe(1)
})
