import { textMetric } from '../metric.ts'
import { SOFT_PAPER, softParams, softResult, type SoftParams } from './shared/soft-perturbation.ts'

export const softSufficiency = textMetric<SoftParams>({
  id: 'soft-sufficiency',
  version: 1,
  modality: 'text',
  family: 'faithfulness',
  title: 'Soft sufficiency',
  summary: 'How much of the probability is kept when what does not count is dropped from the embeddings.',
  meaning:
    'Elements of the word embeddings are kept at random, each with the probability that its token’s score says, so that tokens that count are mostly kept and the others mostly dropped. The number is 1 less what the probability of the class loses by it, as a share of what it loses without any word, averaged over draws: 1 where nothing is lost. No token is cut out, and the size of the scores counts, not only their order. Unlike in plain sufficiency, more is better.',
  misleads:
    'Embeddings with holes are nothing that the model was trained on, and how it takes them says something of the model too: compare with the random control. The scores are brought to 0..1 by their own least and largest value, so one outlier makes all other tokens alike, and what speaks against the class counts as what counts least. Where the class is nearly as probable without any word, the norm is small and the numbers are wild; the interval is only of the draws.',
  paper: SOFT_PAPER,
  needs: [{ place: 'embedding' }],
  needsAnnotation: false,
  params: softParams,
  better: 'higher',
  cost: ({ samples }) => samples + 4,
  run: (context, params) => softResult(context, params, 'sufficiency'),
})
