/** Conservative propagation: relevance through transformers with attention held constant. Letters: T tokens, E embedding size. */
import { z } from 'zod'
import { gradientMethod } from './shared/gradient-method.ts'
import { PATENTS } from './shared/patents.ts'
import { product } from './shared/product.ts'
import { scalarParam } from './shared/scalar-param.ts'

const params = z.strictObject({
  activations: z.enum(['passed', 'gradient']).default('passed').meta({
    title: 'Activations',
    description:
      'passed: activations hand on what they get, so that sums are kept. gradient: they have their gradient, as in the authors\u2019 code.',
  }),
  scalar: scalarParam,
})

export const cpLrp = gradientMethod<z.infer<typeof params>>({
  id: 'cp-lrp',
  version: 1,
  title: 'CP-LRP',
  summary:
    'What each token hands on to the score of the class when attention is taken as it is: how much is moved counts, not why. One pass; the shares are kept through every layer.',
  meaning:
    'The score of the class is handed back layer by layer to what made it, with two things held constant that break the sums of a plain gradient: the attention weights and the deviation that normalisations divide by. What is left is nearly linear, so relevance is conserved from layer to layer but for what biases and position embeddings keep. A token\u2019s score is the relevance that arrives at its word vector, signed, in the unit of the score.',
  misleads: `Attention weights count as given: a word whose whole effect is to direct attention (a negation, a conjunction) gets nothing for it, where AttnLRP gives it a share. What biases keep is not shown, so the scores add up to the score only where there are none. On encoders without gates the numbers equal LibraGrad\u2019s input \u00d7 gradient. ${PATENTS}`,
  paper: {
    title: 'XAI for Transformers: Better Explanations through Conservative Propagation',
    authors: 'Ali, Schnake, Eberle, Montavon, M\u00fcller, Wolf',
    year: 2022,
    url: 'https://arxiv.org/abs/2202.07304',
  },
  params,
  rules: { id: 'cp-lrp', params: ({ activations }) => ({ activations }) },
  signed: true,
  wordReduction: 'sum',
  score: product,
})
