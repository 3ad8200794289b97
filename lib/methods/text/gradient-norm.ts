/** Gradient norm: how strongly the score reacts to a small change of each token. Letters: T tokens, E embedding size. */
import { z } from 'zod'
import { float32 } from '../../tensor/tensor.ts'
import { textMethod } from '../method.ts'
import { saturation, zeroGradient } from './shared/diagnoses.ts'
import { gradientAtText, scalarParam } from './shared/embedding.ts'

const params = z.strictObject({
  norm: z.enum(['L2', 'L1']).default('L2').meta({
    title: 'Norm',
    description:
      'How the gradient of one token becomes one number. L2: its length. L1: the sum of its absolute values.',
  }),
  scalar: scalarParam,
})

export const gradientNorm = textMethod<z.infer<typeof params>>({
  id: 'gradient-norm',
  version: 1,
  modality: 'text',
  family: 'gradient',
  title: 'Gradient norm',
  summary:
    'How strongly the score of the class reacts to a small change of each token. Never negative: it shows which words matter, not for which side.',
  paper: {
    title: 'Visualizing and Understanding Neural Models in NLP',
    authors: 'Li, Chen, Hovy, Jurafsky',
    year: 2016,
    url: 'https://arxiv.org/abs/1506.01066',
  },
  needs: ['gradient', 'embedding-tap'],
  params,
  output: { kind: 'tokens', signed: false, complete: false },
  cost: () => 3,
  /** scores[t] = ||d scalar / d embedding[t]||, T values of at least 0. */
  async run(context, { norm, scalar }) {
    const { gradient, logits } = await gradientAtText(context, scalar)
    const [tokens = 0, size = 0] = gradient.dims // [T, E]
    const scores = new Float32Array(tokens)
    for (let token = 0; token < tokens; token += 1) {
      let sum = 0
      for (const value of gradient.data.subarray(token * size, (token + 1) * size))
        sum += norm === 'L1' ? Math.abs(value) : value * value
      scores[token] = norm === 'L1' ? sum : Math.sqrt(sum)
    }
    context.progress(1)
    return {
      kind: 'text',
      scores: float32(scores, [tokens]),
      wordReduction: 'absolute-max',
      logits,
      completeness: null,
      diagnoses: [...zeroGradient(gradient.data), ...saturation(logits.data, context.target.index)],
    }
  },
})
