/** Input x gradient: the first-order share of each token in the score. Letters: T tokens, E embedding size. */
import { z } from 'zod'
import { float32 } from '../../tensor/tensor.ts'
import { textMethod } from '../method.ts'
import { saturation, zeroGradient } from './shared/diagnoses.ts'
import { gradientAtText, scalarParam } from './shared/embedding.ts'

const params = z.strictObject({ scalar: scalarParam })

export const inputXGradient = textMethod<z.infer<typeof params>>({
  id: 'input-x-gradient',
  version: 1,
  modality: 'text',
  family: 'gradient',
  title: 'Input \u00d7 gradient',
  summary:
    'What each token adds to the score of the class, to first order: positive speaks for the class, negative against it. Fast; exact only where the model is linear.',
  paper: {
    title: 'Not Just a Black Box: Learning Important Features Through Propagating Activation Differences',
    authors: 'Shrikumar, Greenside, Shcherbina, Kundaje',
    year: 2016,
    url: 'https://arxiv.org/abs/1605.01713',
  },
  needs: ['gradient', 'embedding-tap'],
  params,
  output: { kind: 'tokens', signed: true, complete: false },
  cost: () => 3,
  /** scores[t] = <embedding[t], d scalar / d embedding[t]>, signed. */
  async run(context, { scalar }) {
    const { embedding, gradient, logits } = await gradientAtText(context, scalar)
    const [tokens = 0, size = 0] = gradient.dims // [T, E]
    const scores = new Float32Array(tokens)
    for (let token = 0; token < tokens; token += 1) {
      let sum = 0
      for (let index = token * size; index < (token + 1) * size; index += 1)
        sum += (embedding.data[index] ?? Number.NaN) * (gradient.data[index] ?? Number.NaN)
      scores[token] = sum
    }
    context.progress(1)
    return {
      kind: 'text',
      scores: float32(scores, [tokens]),
      wordReduction: 'sum',
      logits,
      completeness: null,
      diagnoses: [...zeroGradient(gradient.data), ...saturation(logits.data, context.target.index)],
    }
  },
})
