/**
 * Gradients at random points of straight paths from random baselines: the mean of (x - b) * dF/dx at b + α (x - b).
 *
 * Letters: N rows, C colours, H x W extent.
 */
import { z } from 'zod'
import { add, given, gradient, multiply, subtract, sum } from '../../../engine/formula.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { ImageContext } from '../../context.ts'
import type { ImageResult } from '../../method.ts'
import type { Batch } from '../../shared/batches.ts'
import { everyScalar, sumsOverRows, type MadeRows } from '../../shared/made-rows.ts'
import { noisyRows } from '../../shared/noise-rows.ts'
import { randomStream } from '../../shared/random.ts'
import { askedOf, gradientRows } from './asked.ts'
import { randomPixels, SINGLE_BASELINES, singleBaseline } from './baseline.ts'
import { completeResult } from './complete.ts'
import { COLOURS } from './pixels.ts'

const DISTRIBUTIONS = ['colours', 'pixels', 'several', 'black'] as const
export const distributionField = z.enum(DISTRIBUTIONS).default('colours').meta({
  title: 'Baselines',
  description:
    'Where each sample starts. colours: one random colour everywhere. pixels: random pixels. several: black, white, blurred or the mean colour, each as probable. black: always black.',
})
export const samplesField = z.int().min(1).max(2000).default(50).meta({
  title: 'Samples',
  description:
    'Random baselines, each with one random point on its path. The error falls with the root of their number.',
})

export interface SampledPaths {
  readonly baselines: (typeof DISTRIBUTIONS)[number]
  readonly samples: number
  /** Standard deviation of the picture's own noise, as a share of the range of each colour. */
  readonly noise: number
}

/** A baseline for each sample, [1, C, H, W]; the same for the same seed and row. */
function baselineMaker(context: ImageContext, distribution: SampledPaths['baselines']): (row: number) => FloatTensor {
  const { units, seed } = context
  if (distribution === 'pixels') return (row) => randomPixels(context, 'baseline', row)
  if (distribution === 'colours')
    return (row) => {
      const { uniform } = randomStream(seed, 'baseline', row)
      return units.colour([255 * uniform(), 255 * uniform(), 255 * uniform()])
    }
  const names = distribution === 'black' ? (['black'] as const) : SINGLE_BASELINES
  const made = names.map((name) => singleBaseline(context, name))
  return (row) => randomStream(seed, 'baseline', row).choice(made)
}

/** [N, C, H, W] */
function stacked(make: (row: number) => FloatTensor, { first, count }: Batch): FloatTensor {
  const rows = Array.from({ length: count }, (_, at) => make(first + at))
  const [one] = rows
  const size = one?.data.length ?? 0
  const data = new Float32Array(count * size)
  rows.forEach((row, at) => data.set(row.data, at * size))
  return float32(data, [count, ...(one?.dims.slice(1) ?? [])])
}

const fromBaselines = (context: ImageContext, total: number, make: (row: number) => FloatTensor): MadeRows => ({
  place: context.input,
  total,
  at: given('baseline'),
  shared: {},
  perRow: (batch) => ({ baseline: stacked(make, batch) }),
})

/** Gradients at one random point of a path for each sample, and each baseline's score for the sum that they should have. */
export async function alongSampledPaths(
  context: ImageContext,
  { baselines, samples, noise }: SampledPaths,
): Promise<ImageResult> {
  const asked = await askedOf(context)
  const { input, picture, units, seed } = context
  const perQuestion = gradientRows(context)
  const make = baselineMaker(context, baselines)
  const ranges = units.highest.map((high, colour) => noise * (high - (units.lowest[colour] ?? high)))
  const noisy = noisyRows(input, picture, samples, {
    deviation: float32(ranges, [1, ranges.length, 1, 1]),
    seed,
    purpose: 'noise',
  })
  const seen = noise === 0 ? given('clean') : noisy.at
  const way = subtract(seen, given('baseline'))
  const rows: MadeRows = {
    place: input,
    total: samples,
    at: add(given('baseline'), multiply(given('alpha'), way)),
    shared: noise === 0 ? { clean: picture } : noisy.shared,
    perRow: (batch) => ({
      ...(noise === 0 ? {} : noisy.perRow(batch)),
      baseline: stacked(make, batch),
      alpha: float32(
        Array.from({ length: batch.count }, (_, at) => randomStream(seed, 'alpha', batch.first + at).uniform()),
        [batch.count, 1, 1, 1],
      ),
    }),
  }
  const part = (from: number, share: number) => ({
    ...asked.asking,
    progress: (done: number): void => context.progress(from + share * done),
  })
  const { scores } = await sumsOverRows(part(0, 0.75), rows, perQuestion, {
    each: { scores: sum(multiply(gradient(input), way), COLOURS) },
  })
  const starts = await everyScalar(part(0.75, 0.25), fromBaselines(context, samples, make), perQuestion)
  return completeResult(asked, {
    scores: scores.map((one) => one / samples),
    ends: { input: asked.scalar, baseline: starts.reduce((total, one) => total + one, 0) / samples },
    points: samples,
    advice: 'The points are drawn at random: with more samples the scores add up better.',
  })
}
