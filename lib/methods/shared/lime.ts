/**
 * LIME (Ribeiro et al. 2016, 1602.04938): a linear model of what a game is worth near the whole of it.
 *
 * As the paper has it, section 3.3: parts are left out at random, as many as a draw from 1 to all of them; a sample weighs
 * exp(-D^2 / width^2), D the cosine distance between its 0s and 1s and the whole's, as the authors' package measures it for
 * words and for superpixels. The package takes the root of that weight, which is the same with a width larger by sqrt 2.
 *
 * Letters: N samples, M players.
 */
import { z } from 'zod'
import { featuresOf, type Coalition } from './coalitions.ts'
import { ridgeRegression } from './linear-algebra.ts'
import { randomStream } from './random.ts'
import type { Diagnosis } from '../diagnosis.ts'

/** @param samples how many are sensible for parts of this kind */
export const limeFields = (samples: number) => ({
  samples: z.int().min(10).max(10_000).default(samples).meta({
    title: 'Samples',
    description: 'Versions of the input with parts left out; the first is the input itself.',
  }),
  width: z.number().gt(0).max(100).default(0.25).meta({
    title: 'Kernel width',
    description: 'How near to the whole input a sample must be to count: small widths count those that lack few parts.',
  }),
  ridge: z.number().min(0).max(1e6).default(1).meta({
    title: 'Ridge',
    description: 'Draws the weights of all parts towards zero; 1 as in the authors\u2019 package.',
  }),
})

interface Lime {
  readonly samples: number
  readonly width: number
  readonly ridge: number
}

/** The first one is the whole; sample k is the same however many are drawn. */
export function limeSamples(seed: number, players: number, samples: number): readonly Coalition[] {
  return Array.from({ length: samples }, (_, sample) => {
    const coalition = new Uint8Array(players).fill(1)
    if (sample === 0) return coalition
    const random = randomStream(seed, 'left out', sample)
    for (const player of random.permutation(players, 1 + random.integer(players))) coalition[player] = 0
    return coalition
  })
}

interface Surrogate {
  /** One a player, [M]. */
  readonly coefficients: readonly number[]
  readonly intercept: number
  /** Weighted R^2 on its own samples: 1 where it says all of them exactly, 0 where it is no better than their mean. */
  readonly fit: number
}

/** @param worths of the samples, [N] */
export function limeSurrogate(
  samples: readonly Coalition[],
  worths: ArrayLike<number>,
  { width, ridge }: Pick<Lime, 'width' | 'ridge'>,
): Surrogate {
  const players = samples[0]?.length ?? 0
  const weights = samples.map((sample) => {
    const there = sample.reduce((sum, one) => sum + one, 0)
    return Math.exp(-(((1 - Math.sqrt(there / players)) / width) ** 2))
  })
  const fit = ridgeRegression({ features: featuresOf(samples, players), targets: worths, weights }, ridge)
  return { ...fit, fit: weightedFit(samples, worths, weights, fit) }
}

function weightedFit(
  samples: readonly Coalition[],
  worths: ArrayLike<number>,
  weights: readonly number[],
  { coefficients, intercept }: Pick<Surrogate, 'coefficients' | 'intercept'>,
): number {
  const total = weights.reduce((sum, one) => sum + one, 0)
  const mean = weights.reduce((sum, one, at) => sum + one * (worths[at] as number), 0) / total
  let [left, all] = [0, 0]
  samples.forEach((sample, at) => {
    const said = coefficients.reduce((sum, one, player) => sum + one * (sample[player] as number), intercept)
    left += (weights[at] as number) * ((worths[at] as number) - said) ** 2
    all += (weights[at] as number) * ((worths[at] as number) - mean) ** 2
  })
  return all > ROUNDING * total * Math.max(1, mean * mean) ? 1 - left / all : 1
}

/** What varies by less than float32 rounds, squared, is constant: nothing is left unsaid. */
const ROUNDING = 1e-12
const GOOD_FIT = 0.5

/** SURROGATE_MISFIT where the linear model says less than half of how the score varies. */
export function misfit({ fit }: Surrogate): readonly Diagnosis[] {
  if (fit >= GOOD_FIT) return []
  return [
    {
      code: 'SURROGATE_MISFIT',
      severity: 'warning',
      message:
        `The linear model explains only ${Math.max(0, 100 * fit).toFixed(0)} % of how the score varies among its samples (R\u00b2 ${fit.toFixed(2)}): ` +
        'its weights are a poor summary of this model here. Take more samples, a smaller ridge or a smaller kernel width, or a method that measures (occlusion, KernelSHAP).',
    },
  ]
}
