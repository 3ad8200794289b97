/** Every tolerance of the tests, in one place. A looser one at a call site needs its reason beside it. */

/** Largest |a - b| allowed, as a share of the largest |b|: two float32 computations of one thing. */
export const FLOAT32 = 1e-5

/** Gradients of whole networks against PyTorch's: many float32 sums in different orders. */
export const NETWORK_GRADIENT = 1e-4

/** Directional finite differences (five points) in float32: rounding is about 1e-7 / step. */
export const FINITE_DIFFERENCE = 2e-3

/** The largest difference of two arrays of one length, as a share of the largest |expected| (1 where that is 0). */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity
  let largest = 0
  let difference = 0
  for (let index = 0; index < expected.length; index++) {
    const [a = NaN, e = NaN] = [actual[index], expected[index]]
    if (a === e) continue
    largest = Math.max(largest, Math.abs(e))
    difference = Number.isNaN(a - e) ? Infinity : Math.max(difference, Math.abs(a - e))
  }
  return largest === 0 ? difference : difference / largest
}

/** A metric against its golden, absolute below 1: both in double precision, of a model that answers float32. */
export const METRIC_CONFORMANCE = 1e-6
