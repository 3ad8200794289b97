import { textMetric } from '../metric.ts'
import { GINI, ZERO_EVERYWHERE, giniOf } from '../shared/complexity.ts'
import { resultOf, undefinedResult } from '../shared/result.ts'
import { wordScores } from './shared/tokens.ts'

export const gini = textMetric({
  ...GINI,
  modality: 'text',
  summary: 'How unequally the explanation is spread over the tokens: the Gini index of their absolute values.',
  meaning:
    'The Gini index of the absolute values, as economists use it of incomes: 0 where each of the tokens has the same, near 1 where few have nearly all. It does not change when all values are multiplied by a number. Special tokens are left out.',
  run(context) {
    const value = giniOf(wordScores(context))
    return Promise.resolve(value === null ? undefinedResult(ZERO_EVERYWHERE) : resultOf(value))
  },
})
