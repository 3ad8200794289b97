/** Top-k intersection (Theiner et al. 2022, 2104.14995): the share of the k pixels with the largest values on what was marked. */
import { z } from 'zod'
import { imageMetric } from '../metric.ts'
import { resultOf } from '../shared/result.ts'
import { byFallingScore } from '../shared/ranking.ts'
import { markedIn } from './shared/marked.ts'
import { pixelScores } from './shared/pixels.ts'

const params = z.strictObject({
  k: z.int().min(1).max(1_000_000).default(1000).meta({
    title: 'k',
    description: 'How many pixels of what the model sees count, those with the largest values; at most all.',
  }),
})

export const topKIntersection = imageMetric<z.infer<typeof params>>({
  id: 'top-k-intersection',
  version: 1,
  modality: 'image',
  family: 'localisation',
  title: 'Top-k intersection',
  summary: 'What share of the brightest pixels of the map lies on what a person marked.',
  meaning:
    'The map is enlarged to the pixels that the model sees; the number is the share of the k pixels with the largest values that are marked: 1 where all are. It is a pointing game with k fingers, so one lucky pixel decides nothing.',
  misleads:
    'Like every comparison with a mark it asks whether the map is where a person looks, not whether it follows the model. With k larger than the marked part 1 cannot be reached. Where many pixels have the same value, the order of position decides which of them count. Objects in the middle favour whatever is bright there.',
  paper: {
    title: 'Interpretable Semantic Photo Geolocation',
    authors: 'Theiner, Müller-Budack, Ewerth',
    year: 2022,
    url: 'https://arxiv.org/abs/2104.14995',
  },
  needs: [],
  needsAnnotation: true,
  params,
  better: 'higher',
  cost: () => 0,
  run(context, { k }) {
    const { inside } = markedIn(context)
    const judged = byFallingScore(pixelScores(context)).filter((pixel) => inside[pixel] !== 2)
    const top = judged.subarray(0, k)
    return Promise.resolve(resultOf(top.reduce((hits, pixel) => hits + (inside[pixel] ?? 0), 0) / top.length))
  },
})
