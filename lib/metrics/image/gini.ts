import { imageMetric } from '../metric.ts'
import { GINI, ZERO_EVERYWHERE, giniOf } from '../shared/complexity.ts'
import { resultOf, undefinedResult } from '../shared/result.ts'
import { pixelScores } from './shared/pixels.ts'

export const gini = imageMetric({
  ...GINI,
  modality: 'image',
  summary: 'How unequally the explanation is spread over the pixels: the Gini index of their absolute values.',
  meaning:
    'The Gini index of the absolute values, as economists use it of incomes: 0 where each of the pixels has the same, near 1 where few have nearly all. It does not change when all values are multiplied by a number. The map is first enlarged to the pixels that the model sees, so that maps of different layers are on one scale.',
  run(context) {
    const value = giniOf(pixelScores(context))
    return Promise.resolve(value === null ? undefinedResult(ZERO_EVERYWHERE) : resultOf(value))
  },
})
