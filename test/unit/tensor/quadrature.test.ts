import { describe, expect, test } from 'vitest'
import { quadrature, QUADRATURE_RULES, type Quadrature } from '../../../lib/tensor/quadrature.ts'

const integrate = ({ nodes, weights }: Quadrature, f: (x: number) => number): number =>
  nodes.reduce((sum, node, index) => sum + (weights[index] ?? Number.NaN) * f(node), 0)
/** Degrees 0..highest of the monomials integrated exactly: the integral of x^d is 1 / (d + 1). */
const exactTo = (rule: Quadrature, limit: number): number => {
  for (let degree = 0; degree <= limit; degree += 1)
    if (Math.abs(integrate(rule, (x) => x ** degree) - 1 / (degree + 1)) > 1e-13) return degree - 1
  return limit
}

describe.each(QUADRATURE_RULES.flatMap((rule) => [2, 3, 7, 50, 300].map((points) => ({ rule, points }))))(
  '$rule, $points points',
  ({ rule, points }) => {
    test('weights are positive and sum to 1, nodes rise within [0, 1]', () => {
      const { nodes, weights } = quadrature(rule, points)
      expect([nodes.length, weights.length]).toEqual([points, points])
      expect(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1)).toBeLessThan(1e-12)
      expect(Math.min(...weights)).toBeGreaterThan(0)
      nodes.forEach((node, index) => expect(node).toBeGreaterThan(nodes[index - 1] ?? -1e-9))
      expect(Math.max(...nodes)).toBeLessThanOrEqual(1)
    })
  },
)

describe('polynomials are integrated exactly', () => {
  test.each([1, 2, 3, 5, 8, 13])('Gauss-Legendre with %i points, to degree 2n - 1', (points) => {
    expect(exactTo(quadrature('gauss-legendre', points), 40)).toBeGreaterThanOrEqual(2 * points - 1)
  })
  test.each([2, 3])('Gauss-Legendre with %i points, no further', (points) => {
    expect(exactTo(quadrature('gauss-legendre', points), 40)).toBe(2 * points - 1)
  })
  test('midpoint and trapezoid: straight lines; left and right: constants', () => {
    const degrees = (['midpoint', 'trapezoid', 'left', 'right'] as const).map((rule) => exactTo(quadrature(rule, 9), 5))
    expect(degrees).toEqual([1, 1, 0, 0])
  })
})

// The gradient of a smooth model along the path: relative errors of the rules at n = 50, as METHODS.md states them.
test('a smooth function at n = 50', () => {
  const f = (x: number) => 1 / Math.cosh(x - 0.3) ** 2
  const expected = Math.tanh(0.7) + Math.tanh(0.3)
  const error = (rule: Quadrature) => Math.abs(integrate(rule, f) / expected - 1)
  expect(error(quadrature('gauss-legendre', 50))).toBeLessThan(1e-14)
  expect(error(quadrature('midpoint', 50))).toBeGreaterThan(1e-6)
  expect(error(quadrature('midpoint', 50))).toBeLessThan(3e-5)
  expect(error(quadrature('trapezoid', 50))).toBeLessThan(1e-4)
  expect(error(quadrature('left', 50))).toBeGreaterThan(1e-3)
})

test('too few points are refused', () => {
  expect(() => quadrature('gauss-legendre', 0)).toThrow(RangeError)
  expect(() => quadrature('trapezoid', 1)).toThrow(RangeError)
})
