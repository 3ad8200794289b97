import { textMetric } from '../metric.ts'
import { SOFT, softResult, type SoftParams } from './shared/soft-perturbation.ts'

export const softComprehensiveness = textMetric<SoftParams>({
  ...SOFT,
  id: 'soft-comprehensiveness',
  title: 'Soft comprehensiveness',
  summary:
    'How much of the probability is lost when what counts is dropped from the embeddings, the more the more it counts.',
  meaning:
    'Elements of the word embeddings are set to 0 at random, each with the probability that its token’s score says, so that tokens that count are mostly dropped and the others mostly kept. The number is what the probability of the class loses by it, as a share of what it loses without any word, averaged over draws: 1 where what is left is worth nothing. No token is cut out, and the size of the scores counts, not only their order.',
  cost: ({ samples }) => samples + 4,
  run: (context, params) => softResult(context, params, 'comprehensiveness'),
})
