import { expect, it } from 'vitest'
import { sobolDesign } from '../../../../lib/methods/shared/sobol.ts'

it('of a weighted sum, each index is its share of the squared weights', () => {
  const weights = [3, 1, 0, -2]
  const { points, totalIndices } = sobolDesign(4000, 4, 2)
  expect(points).toHaveLength(4000 * 5)
  const found = totalIndices(points.map((point) => point.reduce((sum, one, k) => sum + one * (weights[k] ?? NaN), 0)))
  ;[9 / 14, 1 / 14, 0, 4 / 14].forEach((share, k) => expect(found[k]).toBeCloseTo(share, 1))
  expect(found[2]).toBe(0)
})

it('an input that acts only together with another has its part in both', () => {
  const { points, totalIndices } = sobolDesign(4000, 2, 3)
  // f = (x - 1/2)(y - 1/2): nothing by itself, everything together.
  const [x = 0, y = 0] = totalIndices(points.map(([a = 0, b = 0]) => (a - 0.5) * (b - 0.5)))
  expect(x).toBeCloseTo(1, 1)
  expect(y).toBeCloseTo(1, 1)
})

it('of a score that never changes is zero', () => {
  const { points, totalIndices } = sobolDesign(5, 3, 0)
  expect(totalIndices(points.map(() => 7))).toEqual([0, 0, 0])
})
