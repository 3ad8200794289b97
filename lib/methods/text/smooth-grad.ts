/** SmoothGrad: a gradient method averaged over noisy copies of the text's embedding. Letters: T tokens, E embedding size. */
import { z } from 'zod'
import { settled } from '../../target/scalar.ts'
import { float32, type FloatTensor } from '../../tensor/tensor.ts'
import { textMethod } from '../method.ts'
import { saturation, zeroGradient } from '../shared/diagnoses.ts'
import { noisyRows } from '../shared/noise-rows.ts'
import { repeated, tapIn } from '../shared/reading.ts'
import { averagedOverRows, readingOf } from '../shared/vary.ts'
import { gradientNorm } from './gradient-norm.ts'
import { inputXGradient } from './input-x-gradient.ts'
import { batchSize, embed } from './shared/embedding.ts'
import { scalarParam, withScalar } from './shared/scalar-param.ts'

/** What can be averaged: methods that read a gradient once. */
const OF = { 'input-x-gradient': inputXGradient, 'gradient-norm': gradientNorm } as const

const params = z.strictObject({
  of: z.enum(['input-x-gradient', 'gradient-norm']).default('input-x-gradient').meta({
    title: 'Method',
    description: 'What is averaged: the signed share of each token, or the length of its gradient.',
  }),
  samples: z.int().min(1).max(1000).default(32).meta({
    title: 'Samples',
    description: 'How many noisy copies of the text are averaged over. The paper found little change beyond 50.',
  }),
  noise: z.number().min(0).max(1).default(0.05).meta({
    title: 'Noise',
    description:
      'Standard deviation of the noise, as a share of the distance between the smallest and the largest number of the embedding.',
  }),
  scalar: scalarParam,
})

export const smoothGrad = textMethod<z.infer<typeof params>>({
  id: 'smooth-grad',
  version: 1,
  modality: 'text',
  family: 'gradient',
  title: 'SmoothGrad',
  summary:
    'A gradient method averaged over copies of the text with a little noise on the word vectors, so that what changes at random from place to place averages out.',
  meaning:
    "The chosen method is asked at many noisy copies of the text's word vectors, and the scores are averaged: what stays is how the score reacts in a neighbourhood of the text, not at one point. Of input x gradient the scores are signed shares in the unit of the score; of the gradient norm they are lengths, never negative.",
  misleads:
    'Word vectors with noise are no words: with too much noise the model is explained where it was never trained (on the bundled review model a tenth of the range already turns predictions, a twentieth leaves them). Smoother is not truer: randomising the model changes SmoothGrad little in some tests (Adebayo et al. 2018). The scores add up to nothing in particular, and with few samples they change with the seed.',
  paper: {
    title: 'SmoothGrad: removing noise by adding noise',
    authors: 'Smilkov, Thorat, Kim, Vi\u00e9gas, Wattenberg',
    year: 2017,
    url: 'https://arxiv.org/abs/1706.03825',
  },
  needs: [{ place: 'embedding', gradient: true }],
  params,
  output: { kind: 'tokens', signed: true, complete: false },
  cost: ({ samples }) => 3 * samples + 1,
  /** scores = mean over n of M(x + N(0, sigma^2)), sigma = noise (max x - min x); equation 2 and section 3.1 of the paper. */
  async run(context, { of, samples, noise, scalar }) {
    const { seed, feeds } = context
    const { embedding, logits } = await embed(context)
    const target = settled(withScalar(context.target, scalar), logits.data)
    const clean = float32(embedding.data, [1, ...embedding.dims])
    const deviation = noise * rangeOf(embedding)
    const rows = {
      ...noisyRows(tapIn(context).id, clean, samples, { deviation, seed, purpose: 'noise' }),
      feeds: (count: number) => repeated(feeds, count),
    }
    const method = OF[of]
    const it = readingOf(method, { ...context, target }, method.params.parse({}))
    const { it: scores } = await averagedOverRows(context, { it }, rows, batchSize(embedding.dims[0] ?? 1))
    return {
      kind: 'text',
      scores,
      wordReduction: of === 'gradient-norm' ? 'absolute-max' : 'sum',
      logits,
      completeness: null,
      diagnoses: [
        ...zeroGradient('text', Math.max(...scores.data.map(Math.abs))),
        ...saturation('text', logits.data, target, context.head.link),
      ],
    }
  },
})

function rangeOf({ data }: FloatTensor): number {
  let [low, high] = [Infinity, -Infinity]
  for (const one of data) [low, high] = [Math.min(low, one), Math.max(high, one)]
  return high - low
}
