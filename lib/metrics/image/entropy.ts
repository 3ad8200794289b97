import { imageMetric } from '../metric.ts'
import { ENTROPY, ZERO_EVERYWHERE, entropyOf } from '../shared/complexity.ts'
import { resultOf, undefinedResult } from '../shared/result.ts'
import { pixelScores } from './shared/pixels.ts'

export const entropy = imageMetric({
  ...ENTROPY,
  modality: 'image',
  summary: 'Over how many pixels the explanation is spread: the entropy of their absolute shares.',
  meaning:
    'The absolute values are divided by their sum, and the number is the entropy of these shares in nats: 0 where all is on one of the pixels, the logarithm of their number where each has the same. e to the power of it is the number of pixels that an even explanation of the same entropy would have. The map is first enlarged to the pixels that the model sees, so that maps of different layers are on one scale.',
  run(context) {
    const value = entropyOf(pixelScores(context))
    return Promise.resolve(value === null ? undefinedResult(ZERO_EVERYWHERE) : resultOf(value))
  },
})
