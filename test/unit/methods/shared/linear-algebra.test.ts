import { describe, expect, it } from 'vitest'
import {
  firstPrincipalComponent,
  lassoRegression,
  regressionWithSum,
  ridgeRegression,
} from '../../../../lib/methods/shared/linear-algebra.ts'
import { normals, seeded } from '../../../helpers/random.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

/** Double precision with some room for sums in another order. */
const DOUBLE = 1e-9

describe('firstPrincipalComponent', () => {
  it('of points on a line: the line, and places on it', () => {
    const places = [-3, -1, 0, 1, 3]
    const samples = places.flatMap((t) => [10 + 0.6 * t, -5 + 0.8 * t])
    const { direction, projections, share } = firstPrincipalComponent(samples, 2)
    const sign = Math.sign(direction[0] ?? NaN)
    expect(
      relativeDifference(
        direction.map((one) => sign * one),
        [0.6, 0.8],
      ),
    ).toBeLessThan(DOUBLE)
    expect(
      relativeDifference(
        projections.map((one) => sign * one),
        places,
      ),
    ).toBeLessThan(DOUBLE)
    expect(share).toBeCloseTo(1, 12)
  })

  /** Power iteration on the covariance: shares no line with an eigenvalue decomposition. */
  function literally(samples: readonly number[], features: number) {
    const count = samples.length / features
    const means = Array.from(
      { length: features },
      (_, d) =>
        Array.from({ length: count }, (_unused, n) => samples[n * features + d] ?? NaN).reduce((a, b) => a + b, 0) /
        count,
    )
    const centred = Array.from({ length: count }, (_, n) =>
      means.map((mean, d) => (samples[n * features + d] ?? NaN) - mean),
    )
    let direction = means.map((_, d) => 1 + d / features)
    for (let round = 0; round < 5000; round++) {
      const places = centred.map((row) => row.reduce((sum, one, d) => sum + one * (direction[d] ?? NaN), 0))
      const next = direction.map((_, d) =>
        centred.reduce((sum, row, n) => sum + (row[d] ?? NaN) * (places[n] ?? NaN), 0),
      )
      const length = Math.hypot(...next)
      direction = next.map((one) => one / length)
    }
    const projections = centred.map((row) => row.reduce((sum, one, d) => sum + one * (direction[d] ?? NaN), 0))
    const energy = (values: readonly number[]): number => values.reduce((sum, one) => sum + one * one, 0)
    return { direction, projections, share: energy(projections) / energy(centred.flat()) }
  }

  it.each([
    ['more samples than features', 40, 6],
    ['more features than samples', 7, 50],
  ])('of %s: as power iteration finds it', (_, count, features) => {
    const samples = [...normals(count * features, 3)].map((one, at) => 2 + one * (1 + (at % features === 1 ? 2 : 0)))
    const [found, expected] = [firstPrincipalComponent(samples, features), literally(samples, features)]
    const sign = Math.sign((found.direction[1] ?? NaN) * (expected.direction[1] ?? NaN))
    expect(
      relativeDifference(
        found.direction.map((one) => sign * one),
        expected.direction,
      ),
    ).toBeLessThan(1e-6)
    expect(
      relativeDifference(
        found.projections.map((one) => sign * one),
        expected.projections,
      ),
    ).toBeLessThan(1e-6)
    expect(found.share).toBeCloseTo(expected.share, 9)
    expect(Math.hypot(...found.direction)).toBeCloseTo(1, 12)
  })

  it('of samples that are all the same: nothing', () => {
    const { projections, share } = firstPrincipalComponent([1, 2, 1, 2, 1, 2], 2)
    expect(projections).toEqual([0, 0, 0])
    expect(share).toBe(0)
  })
})

const SAMPLES = 60
const SIZE = 4
const features = normals(SAMPLES * SIZE, 11)
const next = seeded(12)
const weights = Array.from({ length: SAMPLES }, () => 0.1 + next())
const row = (n: number): number[] => [...features.subarray(n * SIZE, (n + 1) * SIZE)]
const inner = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, one, d) => sum + one * (b[d] ?? NaN), 0)
const TRUTH = [2, -1, 0, 0.5]
const exact = Array.from({ length: SAMPLES }, (_, n) => 3 + inner(row(n), TRUTH))
const noisy = exact.map((one, n) => one + (normals(SAMPLES, 13)[n] ?? NaN))

describe('ridgeRegression', () => {
  it('finds a linear function exactly, whatever the weights', () => {
    const fit = ridgeRegression({ features, targets: exact, weights })
    expect(relativeDifference(fit.coefficients, TRUTH)).toBeLessThan(DOUBLE)
    expect(fit.intercept).toBeCloseTo(3, 9)
  })

  it.each([0, 0.7, 50])('has no slope left at its minimum, ridge %d', (ridge) => {
    const { coefficients, intercept } = ridgeRegression({ features, targets: noisy, weights }, ridge)
    const residuals = noisy.map((y, n) => y - intercept - inner(row(n), coefficients))
    const slope = (of: (n: number) => number) =>
      residuals.reduce((sum, r, n) => sum + (weights[n] ?? NaN) * r * of(n), 0)
    expect(slope(() => 1)).toBeCloseTo(0, 9)
    coefficients.forEach((one, d) => expect(slope((n) => row(n)[d] ?? NaN) - ridge * one).toBeCloseTo(0, 9))
  })

  it('of one feature: by hand', () => {
    // Weighted means 2 and 4; about them sum w x y = 16 and sum w x^2 = 8, so that the slope is 2, or 16 / (8 + 8).
    const samples = { features: [0, 2, 4], targets: [3, 1, 11], weights: [1, 2, 1] }
    const fits = [ridgeRegression(samples), ridgeRegression(samples, 8)]
    const numbers = fits.flatMap(({ coefficients, intercept }) => [...coefficients, intercept])
    expect(relativeDifference(numbers, [2, 0, 1, 2])).toBeLessThan(DOUBLE)
  })

  it('a weight counts as so many samples', () => {
    const twice = ridgeRegression(
      { features: [...row(0), ...row(0), ...features.subarray(SIZE)], targets: [noisy[0] ?? NaN, ...noisy] },
      0.3,
    )
    const weighted = ridgeRegression({ features, targets: noisy, weights: noisy.map((_, n) => (n === 0 ? 2 : 1)) }, 0.3)
    expect(relativeDifference(weighted.coefficients, twice.coefficients)).toBeLessThan(DOUBLE)
  })

  it('shares between features that are the same, and gives none to one that never changes', () => {
    const doubled = Array.from({ length: SAMPLES }, (_, n) => [row(n)[0] ?? NaN, row(n)[0] ?? NaN, 5]).flat()
    const targets = Array.from({ length: SAMPLES }, (_, n) => 4 * (row(n)[0] ?? NaN) + 1)
    const { coefficients, intercept } = ridgeRegression({ features: doubled, targets })
    expect(relativeDifference(coefficients, [2, 2, 0])).toBeLessThan(1e-6)
    expect(intercept).toBeCloseTo(1, 6)
  })

  it('refuses what is no regression', () => {
    expect(() => ridgeRegression({ features: [1, 2, 3], targets: [1, 2] })).toThrow('are no rows for 2 targets')
    expect(() => ridgeRegression({ features: [1, 2], targets: [1, 2], weights: [0, 0] })).toThrow('positive weight')
  })
})

describe('lassoRegression', () => {
  it('of features at right angles: shrinks each towards 0 by the penalty', () => {
    // A full design of three signs: 8 samples, columns of mean 0 and square 1.
    const signs = Array.from({ length: 8 }, (_, n) => [n & 1, n & 2, n & 4].map((bit) => (bit ? 1 : -1)))
    const targets = signs.map((x) => 1 + inner(x, [2, -0.5, 0.2]))
    const { coefficients, intercept } = lassoRegression({ features: signs.flat(), targets }, 0.3)
    expect(relativeDifference(coefficients, [1.7, -0.2, 0])).toBeLessThan(DOUBLE)
    expect(coefficients[2]).toBe(0)
    expect(intercept).toBeCloseTo(1, 12)
  })

  it.each([0.05, 0.4, 10])('meets the conditions of a minimum, penalty %d', (penalty) => {
    const { coefficients, intercept } = lassoRegression({ features, targets: noisy, weights }, penalty)
    const whole = weights.reduce((a, b) => a + b, 0)
    const residuals = noisy.map((y, n) => y - intercept - inner(row(n), coefficients))
    expect(inner(weights, residuals)).toBeCloseTo(0, 7)
    coefficients.forEach((one, d) => {
      const slope = residuals.reduce((sum, r, n) => sum + (weights[n] ?? NaN) * r * (row(n)[d] ?? NaN), 0) / whole
      if (one === 0) expect(Math.abs(slope)).toBeLessThanOrEqual(penalty + 1e-9)
      else expect(slope).toBeCloseTo(penalty * Math.sign(one), 7)
    })
    if (penalty === 10) expect(coefficients).toEqual([0, 0, 0, 0])
  })

  it('without a penalty it is least squares', () => {
    const [lasso, ridge] = [
      lassoRegression({ features, targets: noisy }, 0),
      ridgeRegression({ features, targets: noisy }),
    ]
    expect(relativeDifference(lasso.coefficients, ridge.coefficients)).toBeLessThan(1e-8)
  })
})

describe('regressionWithSum', () => {
  /** A game of five players with bonuses for pairs and a triple. */
  const players = 5
  const value = (inside: readonly boolean[]): number =>
    inside.reduce((sum, here, player) => sum + (here ? 1 + player : 0), 0) +
    (inside[0] && inside[1] ? 3 : 0) -
    (inside[1] && inside[2] && inside[4] ? 4 : 0)
  const coalitions = Array.from({ length: 2 ** players }, (_, bits) =>
    Array.from({ length: players }, (_unused, player) => (bits & (1 << player)) !== 0),
  )
  const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k)

  it('with all coalitions and the Shapley kernel: the Shapley values', () => {
    const inner = coalitions.filter((inside) => inside.some((one) => one !== inside[0]))
    const size = (inside: readonly boolean[]): number => inside.filter(Boolean).length
    const found = regressionWithSum(
      {
        features: inner.flatMap((inside) => inside.map(Number)),
        targets: inner.map(value),
        weights: inner.map(
          (inside) => (players - 1) / (choose(players, size(inside)) * size(inside) * (players - size(inside))),
        ),
      },
      value(new Array<boolean>(players).fill(true)),
    )
    // Each bonus is shared by those who earn it.
    expect(relativeDifference(found, [1 + 1.5, 2 + 1.5 - 4 / 3, 3 - 4 / 3, 4, 5 - 4 / 3])).toBeLessThan(DOUBLE)
  })

  it('keeps the sum where samples alone would not say it', () => {
    const found = regressionWithSum({ features: [1, 0, 0, 0, 1, 0], targets: [5, 5] }, 30)
    expect(relativeDifference(found, [5, 5, 20])).toBeLessThan(DOUBLE)
  })
})
