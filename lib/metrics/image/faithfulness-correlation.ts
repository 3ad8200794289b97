/** Faithfulness correlation (Bhatt et al. 2020, 2005.00631): corr over sets S of sum_S phi and F(x) - F(x without S). */
import { z } from 'zod'
import { imageMetric } from '../metric.ts'
import { resultOf, undefinedResult } from '../shared/result.ts'
import { correlationInterval, pearson } from '../shared/statistics.ts'
import { effectsOfSets, randomSets } from './shared/subsets.ts'

const params = z.strictObject({
  samples: z.int().min(4).max(5000).default(100).meta({
    title: 'Samples',
    description: 'How many random sets of pixels are taken out, one after the other; each takes a prediction.',
  }),
  share: z.number().min(0.0001).max(0.9).default(0.1).meta({
    title: 'Share',
    description: 'Which share of the pixels a set has.',
  }),
})

export const faithfulnessCorrelation = imageMetric<z.infer<typeof params>>({
  id: 'faithfulness-correlation',
  version: 1,
  modality: 'image',
  family: 'faithfulness',
  title: 'Faithfulness correlation',
  summary: 'Whether pixels that are taken out at random cost as much as the map has in them.',
  meaning:
    'Random sets of pixels of one size are replaced by zeros in the model’s own numbers. The number is Pearson’s correlation, over the sets, of what the map sums to in a set and what the explained score loses without it: 1 where the map says exactly what each set is worth, up to scale and offset, 0 where it knows nothing of it. The interval is of the correlation, by Fisher’s transformation.',
  misleads:
    'Scattered pixels are little of any object: random sets of thousands of pixels hold nearly the same share of everything, so what varies is small and correlations are near 0 even for good maps; compare with the controls before reading a small number as a failure. The result depends on the size of the sets and on what replaces them.',
  paper: {
    title: 'Evaluating and Aggregating Feature-based Model Explanations',
    authors: 'Bhatt, Weller, Moura',
    year: 2020,
    url: 'https://arxiv.org/abs/2005.00631',
  },
  needs: [],
  needsAnnotation: false,
  params,
  better: 'higher',
  cost: ({ samples }) => samples + 1,
  async run(context, { samples, share }) {
    const [, , height = 0, width = 0] = context.picture.dims
    const size = Math.max(1, Math.round(share * height * width))
    const effects = await effectsOfSets(context, randomSets(context, samples, size, 'subset'))
    const correlation = pearson(
      effects.map(({ attributed }) => attributed),
      effects.map(({ lost }) => lost),
    )
    if (correlation === null)
      return undefinedResult(
        'The map, or the score, is the same for every set of pixels, so they cannot be correlated.',
      )
    return resultOf(correlation, { interval: correlationInterval(correlation, samples) })
  },
})
