/** Gradient norm: how strongly the score reacts to a small change of each token. Letters: T tokens, E embedding size. */
import { z } from 'zod'
import { gradientMethod } from './shared/gradient-method.ts'
import { scalarParam } from './shared/scalar-param.ts'

const params = z.strictObject({
  norm: z.enum(['L2', 'L1']).default('L2').meta({
    title: 'Norm',
    description:
      'How the gradient of one token becomes one number. L2: its length. L1: the sum of its absolute values.',
  }),
  scalar: scalarParam,
})

export const gradientNorm = gradientMethod<z.infer<typeof params>>({
  id: 'gradient-norm',
  version: 1,
  title: 'Gradient norm',
  summary:
    'How strongly the score of the class reacts to a small change of each token. Never negative: it shows which words matter, not for which side.',
  meaning:
    'The length of the slope at each token: how strongly the score reacts to a small change of it. Never negative: it ranks tokens by sensitivity, without a side.',
  misleads:
    'Sensitivity is not contribution: a word that would matter if it were another ranks as high as one that decided. Rare words with large gradients and the special tokens often lead. It says nothing of the direction; read it beside a signed method.',
  paper: {
    title: 'Visualizing and Understanding Neural Models in NLP',
    authors: 'Li, Chen, Hovy, Jurafsky',
    year: 2016,
    url: 'https://arxiv.org/abs/1506.01066',
  },
  params,
  signed: false,
  wordReduction: 'absolute-max',
  /** scores[t] = ||d scalar / d embedding[t]||, at least 0. */
  score(gradient, _embedding, { norm }) {
    let sum = 0
    for (const value of gradient) sum += norm === 'L1' ? Math.abs(value) : value * value
    return norm === 'L1' ? sum : Math.sqrt(sum)
  },
})
