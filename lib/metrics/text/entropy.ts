import { textMetric } from '../metric.ts'
import { ENTROPY, ZERO_EVERYWHERE, entropyOf } from '../shared/complexity.ts'
import { resultOf, undefinedResult } from '../shared/result.ts'
import { wordScores } from './shared/tokens.ts'

export const entropy = textMetric({
  ...ENTROPY,
  modality: 'text',
  summary: 'Over how many tokens the explanation is spread: the entropy of their absolute shares.',
  meaning:
    'The absolute values are divided by their sum, and the number is the entropy of these shares in nats: 0 where all is on one of the tokens, the logarithm of their number where each has the same. e to the power of it is the number of tokens that an even explanation of the same entropy would have. Special tokens are left out.',
  run(context) {
    const value = entropyOf(wordScores(context))
    return Promise.resolve(value === null ? undefinedResult(ZERO_EVERYWHERE) : resultOf(value))
  },
})
