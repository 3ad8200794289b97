import { textMetric } from '../metric.ts'
import { SOFT, softResult, type SoftParams } from './shared/soft-perturbation.ts'

export const softSufficiency = textMetric<SoftParams>({
  ...SOFT,
  id: 'soft-sufficiency',
  title: 'Soft sufficiency',
  summary: 'How much of the probability is kept when what does not count is dropped from the embeddings.',
  meaning:
    'Elements of the word embeddings are kept at random, each with the probability that its token’s score says, so that tokens that count are mostly kept and the others mostly dropped. The number is 1 less what the probability of the class loses by it, as a share of what it loses without any word, averaged over draws: 1 where nothing is lost. No token is cut out, and the size of the scores counts, not only their order. Unlike in plain sufficiency, more is better.',
  cost: ({ samples }) => samples + 4,
  run: (context, params) => softResult(context, params, 'sufficiency'),
})
