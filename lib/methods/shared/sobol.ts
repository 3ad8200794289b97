/**
 * Total Sobol indices: the share of a score's variance in which an input takes part, alone or with others.
 *
 * Jansen 1999 (Computer Physics Communications 117), as CRAFT uses it: T_k = mean (f(a) - f(a with b_k))^2 / (2 Var f), over pairs of
 * independent points a, b in [0, 1]^R.
 *
 * Letters: N pairs of points, R inputs.
 */
import { randomStream } from './random.ts'

export interface SobolDesign {
  /** N (R + 1) points: a, then a with each of b's numbers in turn, pair after pair; [R] each. */
  readonly points: readonly (readonly number[])[]
  /** T_k for each input, [R], of the scores at the points; zeros where they are all the same. */
  readonly totalIndices: (scores: ArrayLike<number>) => readonly number[]
}

export function sobolDesign(pairs: number, inputs: number, seed: number): SobolDesign {
  const points = Array.from({ length: pairs }, (_, pair) => {
    const { uniform } = randomStream(seed, 'Sobol', pair)
    const [a, b] = [0, 1].map(() => Array.from({ length: inputs }, uniform))
    if (a === undefined || b === undefined) return []
    return [a, ...a.map((_own, k) => a.with(k, b[k] ?? 0))]
  }).flat()
  return {
    points,
    totalIndices(scores) {
      const at = (pair: number, k: number): number => scores[pair * (inputs + 1) + k] ?? Number.NaN
      const own = Array.from({ length: pairs }, (_, pair) => at(pair, 0))
      const mean = own.reduce((sum, one) => sum + one, 0) / pairs
      const variance = own.reduce((sum, one) => sum + (one - mean) ** 2, 0) / pairs
      return Array.from({ length: inputs }, (_, k) => {
        const moved = own.reduce((sum, one, pair) => sum + (one - at(pair, k + 1)) ** 2, 0) / pairs
        return variance > 0 ? moved / (2 * variance) : 0
      })
    },
  }
}
