/** Sensitivity-n (Ancona et al. 2018, 1711.06104, section 4): for sets of n pixels, corr of sum_S phi and F(x) - F(x without S). */
import { z } from 'zod'
import { imageMetric } from '../metric.ts'
import { resultOf, undefinedResult } from '../shared/result.ts'
import { mean, pearson } from '../shared/statistics.ts'
import { effectsOfSets, randomSets } from './shared/subsets.ts'

const params = z.strictObject({
  sizes: z.int().min(1).max(20).default(6).meta({
    title: 'Sizes',
    description: 'How many values of n are tried, from one pixel to 80 % of them, equally spaced in the logarithm.',
  }),
  samples: z.int().min(4).max(1000).default(30).meta({
    title: 'Samples',
    description: 'How many random sets of pixels of each size are taken out; each takes a prediction.',
  }),
})

const MOST = 0.8

/** n for each size: from 1 to 80 % of the pixels. */
export function setSizes(area: number, count: number): readonly number[] {
  const most = Math.max(1, Math.floor(MOST * area))
  const sizes = Array.from({ length: count }, (_, at) => Math.round(most ** (count === 1 ? 1 : at / (count - 1))))
  return sizes.filter((size, at) => size !== sizes[at - 1])
}

export const sensitivityN = imageMetric<z.infer<typeof params>>({
  id: 'sensitivity-n',
  version: 1,
  modality: 'image',
  family: 'faithfulness',
  title: 'Sensitivity-n',
  summary: 'Whether sets of n pixels cost as much as the map has in them, for small n and large.',
  meaning:
    'For each of several n, random sets of n pixels are replaced by zeros in the model’s own numbers, and what the map sums to in a set is correlated with what the explained score loses. The curve has the correlation for each n; the number is their mean. A map is right about single pixels where the curve is high at its beginning, and about interactions of many where it is high at its end.',
  misleads:
    'Single pixels of a photo change a score by less than rounding does, so the beginning of the curve is noise; at its end nearly everything is gone and the model sees what it never saw. Additive methods that end at the same baseline have an advantage by construction. The mean over n hides where a map is good: look at the curve and at the controls.',
  paper: {
    title: 'Towards better understanding of gradient-based attribution methods for Deep Neural Networks',
    authors: 'Ancona, Ceolini, Öztireli, Gross',
    year: 2018,
    url: 'https://arxiv.org/abs/1711.06104',
  },
  needs: [],
  needsAnnotation: false,
  params,
  better: 'higher',
  cost: ({ sizes, samples }) => sizes * (samples + 1),
  async run(context, { sizes, samples }) {
    const [, , height = 0, width = 0] = context.picture.dims
    const area = height * width
    const found: { readonly share: number; readonly value: number }[] = []
    const all = setSizes(area, sizes)
    for (const [at, size] of all.entries()) {
      const progress = (fraction: number): void => context.progress((at + fraction) / all.length)
      const sets = randomSets(context, samples, size, `subset of ${size}`)
      const effects = await effectsOfSets({ ...context, progress }, sets)
      const value = pearson(
        effects.map(({ attributed }) => attributed),
        effects.map(({ lost }) => lost),
      )
      if (value !== null) found.push({ share: size / area, value })
    }
    if (found.length === 0)
      return undefinedResult(
        'The map, or the score, is the same for every set of pixels, so they cannot be correlated.',
      )
    const curve = { share: found.map(({ share }) => share), value: found.map(({ value }) => value) }
    return resultOf(mean(curve.value), { curve })
  },
})
