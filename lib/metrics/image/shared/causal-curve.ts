/**
 * Deletion and insertion (Petsiuk et al. 2018, 1806.07421, section 3.3): pixels leave or enter a picture in the order of an
 * attribution, and the probability of the class is followed.
 *
 * `rise`: as the authors' code. A step is ceil(H W / steps) pixels; the last one may be smaller and counts as a whole one.
 * `xplique`: step k has floor(k H W / steps) pixels, and zeros stand for what is not shown, on both ways.
 */
import { z } from 'zod'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { JudgedImage, MetricResult } from '../../metric.ts'
import { followed } from '../../shared/explained.ts'
import { byFallingScore } from '../../shared/ranking.ts'
import { resultOf } from '../../shared/result.ts'
import { areaUnder } from '../../shared/statistics.ts'
import { extentOf, pixelScores, scalarsOfMasked } from './pixels.ts'

export const causalParams = z.strictObject({
  steps: z.int().min(2).max(1000).default(28).meta({
    title: 'Steps',
    description: 'In how many steps all pixels are gone over; each takes a prediction.',
  }),
  dialect: z.enum(['rise', 'xplique']).default('rise').meta({
    title: 'Dialect',
    description:
      "rise: the authors' own code: insertion begins at the blurred picture. xplique: insertion begins at zeros in the model's own numbers, and steps are cut off another way.",
  }),
})
export type CausalParams = z.infer<typeof causalParams>

export const RISE_PAPER = {
  title: 'RISE: Randomized Input Sampling for Explanation of Black-box Models',
  authors: 'Petsiuk, Das, Saenko',
  year: 2018,
  url: 'https://arxiv.org/abs/1806.07421',
}

const KERNEL = 11
const SIGMA = 5

/**
 * One side of the authors' `gkern(11, 5)`: a one in the middle of 11 places, smoothed by SciPy's `gaussian_filter`, which cuts
 * the Gaussian at 4 standard deviations and mirrors at the border, so that the sum stays 1.
 */
export function riseKernel(): number[] {
  const reach = 4 * SIGMA
  const weights = Array.from({ length: 2 * reach + 1 }, (_, at) => Math.exp(-((at - reach) ** 2) / (2 * SIGMA ** 2)))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const kernel = Array.from({ length: KERNEL }, () => 0)
  const period = 2 * KERNEL
  for (let place = 0; place < KERNEL; place += 1)
    weights.forEach((weight, at) => {
      const wrapped = (((place + at - reach) % period) + period) % period
      const source = wrapped < KERNEL ? wrapped : period - 1 - wrapped
      if (source === (KERNEL - 1) / 2) kernel[place] = (kernel[place] ?? 0) + weight / total
    })
  return kernel
}

/** A convolution of each channel with that kernel, zeros beyond the border. [1, C, H, W] */
function riseBlurred(picture: FloatTensor): FloatTensor {
  const { height, width } = extentOf(picture)
  const kernel = riseKernel()
  const along = (data: ArrayLike<number>, extent: number, stride: number): Float64Array => {
    const blurred = new Float64Array(data.length)
    for (let at = 0; at < data.length; at += 1) {
      const place = Math.floor(at / stride) % extent
      kernel.forEach((weight, tap) => {
        const source = place + tap - (KERNEL - 1) / 2
        if (source >= 0 && source < extent)
          blurred[at] = (blurred[at] ?? 0) + weight * (data[at + (source - place) * stride] ?? 0)
      })
    }
    return blurred
  }
  return float32(Float32Array.from(along(along(picture.data, height, width), width, 1)), picture.dims)
}

/** How many pixels have been gone over behind each step, from none to all. */
function pixelsBehind(area: number, { steps, dialect }: CausalParams): readonly number[] {
  if (dialect === 'xplique') return Array.from({ length: steps + 1 }, (_, step) => Math.floor((step * area) / steps))
  const atOnce = Math.ceil(area / steps)
  return Array.from({ length: Math.ceil(area / atOnce) + 1 }, (_, step) => Math.min(area, step * atOnce))
}

/** @param way what happens to the pixels that count most, first */
export async function causalCurve(
  context: JudgedImage,
  params: CausalParams,
  way: 'delete' | 'insert',
): Promise<MetricResult> {
  const order = byFallingScore(pixelScores(context))
  const counts = pixelsBehind(order.length, params)
  const { target } = await followed(context)
  const [gone, stays] = way === 'delete' ? [0, 1] : [1, 0]
  const kept = (step: number): Float32Array => {
    const mask = new Float32Array(order.length).fill(stays)
    for (const pixel of order.subarray(0, counts[step])) mask[pixel] = gone
    return mask
  }
  const filling = way === 'insert' && params.dialect === 'rise' ? riseBlurred(context.picture) : undefined
  const value = [...(await scalarsOfMasked(context, target, counts.length, kept, filling))]
  const share = counts.map((count) => count / order.length)
  return resultOf(areaUnder(value), { curve: { share, value } })
}
