import { describe, expect, test } from 'vitest'
import { adaptiveSimpson, type WeightedPoint } from '../../../lib/tensor/adaptive-quadrature.ts'

interface Point {
  readonly slope: number
  readonly value: number
}

interface Run {
  readonly points: readonly WeightedPoint<Point>[]
  readonly sum: number
  /** The places asked for, a list a call. */
  readonly asked: readonly (readonly number[])[]
}

async function integrate(
  slope: (x: number) => number,
  value: (x: number) => number,
  { allowed = 1e-3, mostPoints = 257, batch = 4 }: { allowed?: number; mostPoints?: number; batch?: number } = {},
): Promise<Run> {
  const asked: (readonly number[])[] = []
  const points = await adaptiveSimpson<Point>(
    {
      at: (places) => {
        asked.push(places)
        return Promise.resolve(places.map((x) => ({ slope: slope(x), value: value(x) })))
      },
      integrand: (point) => point.slope,
      antiderivative: (point) => point.value,
    },
    { allowed: (start, end) => allowed * Math.abs(end.value - start.value), mostPoints, batch },
  )
  return { points, sum: points.reduce((sum, { weight, point }) => sum + weight * point.slope, 0), asked }
}

/** A step of width w around c, and its slope: a narrow peak. */
const step = (c: number, w: number) => (x: number) => Math.tanh((x - c) / w)
const peak = (c: number, w: number) => (x: number) => 1 / (w * Math.cosh((x - c) / w) ** 2)

describe('adaptiveSimpson', () => {
  test('a cubic is exact with the first nine points', async () => {
    const { points, sum } = await integrate(
      (x) => 4 * x ** 3 - 3 * x ** 2 + 1,
      (x) => x ** 4 - x ** 3 + x,
    )
    expect(points.map(({ place }) => place)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8].map((eighth) => eighth / 8))
    expect(sum).toBeCloseTo(1, 14)
  })

  test.each([0.03, 0.31, 0.5, 0.77, 0.99])('a narrow peak at %d: few points, most of them there', async (c) => {
    const { points, sum, asked } = await integrate(peak(c, 0.02), step(c, 0.02))
    const whole = step(c, 0.02)(1) - step(c, 0.02)(0)
    expect(Math.abs(sum / whole - 1)).toBeLessThan(1e-3)
    // Points evenly as close as the closest ones would be 257 and more.
    expect(points.length).toBeLessThan(60)
    expect(points.filter(({ place }) => Math.abs(place - c) < 0.15).length).toBeGreaterThan(points.length / 3)
    expect(points.reduce((total, { weight }) => total + weight, 0)).toBeCloseTo(1, 14)
    expect(points.every(({ weight }) => weight > 0)).toBe(true)
    const all = asked.flat()
    expect(new Set(all).size).toBe(all.length)
    expect(points).toHaveLength(all.length)
    expect(points.map(({ place }) => place)).toEqual(all.toSorted((a, b) => a - b))
  })

  test('errors of opposite sign do not make up for each other', async () => {
    // Odd around the middle: nine points add up to exactly the difference, 0 + 2, and are wrong on both sides.
    const { points, sum } = await integrate(
      (x) => 2 + peak(0.3, 0.02)(x) - peak(0.7, 0.02)(x),
      (x) => 2 * x + step(0.3, 0.02)(x) - step(0.7, 0.02)(x),
    )
    expect(sum).toBeCloseTo(2, 3)
    expect(points.length).toBeGreaterThan(9)
    const left = points
      .filter(({ place }) => place < 0.5)
      .reduce((part, { weight, point }) => part + weight * point.slope, 0)
    expect(Math.abs(left - 3)).toBeLessThan(0.1) // the point in the middle counts for both halves
  })

  test.each([1, 2, 4, 8])('asks for points %i at once, as far as panels go', async (batch) => {
    const { asked } = await integrate(peak(0.4, 0.005), step(0.4, 0.005), { batch })
    expect(asked[0]).toHaveLength(9)
    const most = Math.max(2, batch)
    for (const places of asked.slice(1)) expect(places).toHaveLength(most)
    expect(asked.length).toBeGreaterThan(3)
  })

  test('ends at the bound, and never goes beyond', async () => {
    for (const mostPoints of [9, 10, 20, 41]) {
      const { points } = await integrate(peak(0.4, 1e-4), step(0.4, 1e-4), { mostPoints, batch: 8 })
      expect(points.length).toBe(mostPoints - ((mostPoints - 9) % 2))
    }
  })

  test('the same samples give the same points', async () => {
    const run = () => integrate(peak(0.4, 0.02), step(0.4, 0.02))
    expect(await run()).toEqual(await run())
  })

  test('a flat path takes nine points, one that is not finite goes no further', async () => {
    const flat = await integrate(
      () => 0,
      () => 3,
    )
    expect([flat.points.length, flat.sum]).toEqual([9, 0])
    const broken = await integrate(
      (x) => (x > 0.4 ? NaN : 1),
      (x) => x,
    )
    expect(broken.points).toHaveLength(9)
    expect(broken.sum).toBeNaN()
  })
})
