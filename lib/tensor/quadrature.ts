/**
 * Rules for the integral of f over [0, 1]: sum of weights[i] * f(nodes[i]). Nodes rise, weights are positive and sum to 1.
 */
export interface Quadrature {
  readonly nodes: readonly number[]
  readonly weights: readonly number[]
}

export const QUADRATURE_RULES = ['gauss-legendre', 'midpoint', 'trapezoid', 'left', 'right'] as const
export type QuadratureRule = (typeof QUADRATURE_RULES)[number]

/**
 * A rule with `points` nodes.
 * @throws RangeError for fewer points than the rule needs (1; the trapezoid rule 2).
 */
export function quadrature(rule: QuadratureRule, points: number): Quadrature {
  const least = rule === 'trapezoid' ? 2 : 1
  if (!Number.isInteger(points) || points < least) throw new RangeError(`${rule}: ${points} points, needs ${least}`)
  switch (rule) {
    case 'gauss-legendre':
      return gaussLegendre(points)
    case 'midpoint':
      return even(points, 0.5)
    case 'left':
      return even(points, 0)
    case 'right':
      return even(points, 1)
    case 'trapezoid': {
      const share = 1 / (points - 1)
      return {
        nodes: range(points).map((index) => index * share),
        weights: range(points).map((index) => (index === 0 || index === points - 1 ? share / 2 : share)),
      }
    }
  }
}

/** Exact for polynomials of degree 2 * points - 1: roots of the Legendre polynomial, by Newton's method. */
function gaussLegendre(points: number): Quadrature {
  const nodes = new Array<number>(points)
  const weights = new Array<number>(points)
  for (let index = 0; index < points; index += 1) {
    // Tricomi's estimate is close enough for quadratic convergence at every degree.
    let x = Math.cos((Math.PI * (index + 0.75)) / (points + 0.5))
    let slope = 1
    for (let iteration = 0; iteration < 100; iteration += 1) {
      let previous = 1 // P_0
      let value = x // P_1
      for (let degree = 2; degree <= points; degree += 1)
        [previous, value] = [value, ((2 * degree - 1) * x * value - (degree - 1) * previous) / degree]
      slope = (points * (x * value - previous)) / (x * x - 1)
      const step = value / slope
      x -= step
      if (Math.abs(step) < 1e-15) break
    }
    // x falls with the index, so (1 - x) / 2 rises.
    nodes[index] = (1 - x) / 2
    weights[index] = 1 / ((1 - x * x) * slope * slope)
  }
  return { nodes, weights }
}

/** Equal parts of [0, 1], each at its `shift` (0 left, 0.5 middle, 1 right). */
function even(points: number, shift: number): Quadrature {
  return {
    nodes: range(points).map((index) => (index + shift) / points),
    weights: range(points).map(() => 1 / points),
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
