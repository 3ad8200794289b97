import { z } from 'zod'
import { imageMetric } from '../metric.ts'
import { entropyOf, ZERO_EVERYWHERE } from '../shared/complexity.ts'
import { resultOf, undefinedResult } from '../shared/result.ts'
import { pixelScores } from './shared/pixels.ts'

export const entropy = imageMetric({
  id: 'entropy',
  version: 1,
  modality: 'image',
  family: 'complexity',
  title: 'Entropy',
  summary: 'Over how many pixels the explanation is spread: the entropy of their absolute shares.',
  meaning:
    'The absolute values are divided by their sum, and the number is the entropy of these shares in nats: 0 where all is on one of the pixels, the logarithm of their number where each has the same. e to the power of it is the number of pixels that an even explanation of the same entropy would have. The map is first enlarged to the pixels that the model sees, so that maps of different layers are on one scale.',
  misleads:
    'Short is not right: one wrong place has the best value there is. It says nothing of the model, and the uniform control is the worst by construction. An object that fills the picture, or a text that makes its point in every sentence, has no short explanation that is faithful. Values near 0 in great number, as the noise of gradients, raise it though nobody would see them.',
  paper: {
    title: 'Evaluating and Aggregating Feature-based Model Explanations',
    authors: 'Bhatt, Weller, Moura',
    year: 2020,
    url: 'https://arxiv.org/abs/2005.00631',
  },
  needs: [],
  needsAnnotation: false,
  params: z.strictObject({}),
  better: 'lower',
  cost: () => 0,
  run(context) {
    const value = entropyOf(pixelScores(context))
    return Promise.resolve(value === null ? undefinedResult(ZERO_EVERYWHERE) : resultOf(value))
  },
})
