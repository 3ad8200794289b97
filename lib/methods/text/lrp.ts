/** Layer-wise relevance propagation with the z, epsilon and gamma rules. Letters: T tokens, E embedding size. */
import { z } from 'zod'
import { gradientMethod } from './shared/gradient-method.ts'
import { PATENTS } from './shared/patents.ts'
import { product } from './shared/product.ts'
import { scalarParam } from './shared/scalar-param.ts'

const params = z.strictObject({
  epsilon: z.number().min(0).max(10).default(1e-6).meta({
    title: '\u03b5',
    description: 'Added to the size of what relevance is divided by: absorbs weak and contradictory evidence.',
  }),
  gamma: z.number().min(0).max(10).default(0).meta({
    title: '\u03b3',
    description: 'By how much positive weights count more than negative ones. 0: all alike.',
  }),
  scalar: scalarParam,
})

export const lrp = gradientMethod<z.infer<typeof params>>({
  id: 'lrp',
  version: 1,
  title: 'LRP',
  summary:
    'What each token hands on to the score of the class, followed back through the layers of convolutional and feed-forward text models. For transformers there are AttnLRP and CP-LRP.',
  meaning:
    'The score of the class is handed back layer by layer, as relevance, to what made it: in proportion to each input\u2019s product with its weight, biases keeping their shares, and past activations unchanged. A token\u2019s score is the relevance that arrives at its word vector, signed, in the unit of the score. With \u03b5 and \u03b3 at 0 it is input \u00d7 gradient on networks of rectifiers.',
  misleads: `\u03b5 absorbs relevance and \u03b3 favours what speaks for the class, so the scores add up to the score only with both at 0 and without biases, and their size depends on both. The rules know no products of what varies, no softmax and no normalisation by the input: on a transformer this method is refused. ${PATENTS}`,
  paper: {
    title: 'On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation',
    authors: 'Bach, Binder, Montavon, Klauschen, M\u00fcller, Samek',
    year: 2015,
    url: 'https://doi.org/10.1371/journal.pone.0130140',
  },
  params,
  rules: { id: 'lrp', params: ({ epsilon, gamma }) => ({ epsilon, gamma }) },
  signed: true,
  wordReduction: 'sum',
  score: product,
})
