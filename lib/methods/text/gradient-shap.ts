/**
 * GradientSHAP: the expectation of gradient times way over random blanks for a baseline, random points of the path and, where
 * asked, noise on the text. Letters: T tokens, E embedding size.
 */
import { z } from 'zod'
import { settled } from '../../target/scalar.ts'
import { float32, type FloatTensor } from '../../tensor/tensor.ts'
import { textMethod } from '../method.ts'
import { randomStream } from '../shared/random.ts'
import { baselineParam, baselines, specialTokensParam } from './shared/baseline.ts'
import { embed } from './shared/embedding.ts'
import { explainedByPaths, type Paths } from './shared/sampled-paths.ts'
import { scalarParam, withScalar } from './shared/scalar-param.ts'

const params = z.strictObject({
  baseline: baselineParam.unwrap().default('several').meta({
    title: 'Baseline',
    description:
      'What stands for \u201cno word here\u201d. several: one of the mask token, the padding token and zeros, drawn for each sample.',
  }),
  specialTokens: specialTokensParam,
  samples: z.int().min(1).max(1000).default(32).meta({
    title: 'Samples',
    description: 'How many points are drawn: each with its own baseline and its own place on the way.',
  }),
  noise: z.number().min(0).max(1).default(0).meta({
    title: 'Noise',
    description: 'Standard deviation of the noise on the text, as a share of that of its embedding. 0: none.',
  }),
  scalar: scalarParam,
})

export const gradientShap = textMethod<z.infer<typeof params>>({
  id: 'gradient-shap',
  version: 1,
  modality: 'text',
  family: 'gradient',
  title: 'GradientSHAP',
  summary:
    'What each token adds to the score of the class, compared with random blanks: a sampled estimate of integrated gradients over several baselines.',
  meaning:
    'For each sample a baseline is drawn (a text of masks, of padding, or of zeros) and a point on the straight way from it to the text; the score is the mean over the samples of the slope there times the way. It estimates the mean of integrated gradients over those baselines, in the unit of the score: positive speaks for the class. In expectation the scores add up to the difference from the mean score of the baselines.',
  misleads:
    'It is a random estimate: with few samples small scores and their order change with the seed, so repeat it with another or with more samples. It equals Shapley values only if the model were linear between baseline and text and tokens acted independently, which a transformer is not and does not. Noise on word vectors makes words that no text has.',
  paper: {
    title: 'A Unified Approach to Interpreting Model Predictions',
    authors: 'Lundberg, Lee',
    year: 2017,
    url: 'https://arxiv.org/abs/1705.07874',
  },
  needs: [{ place: 'embedding', gradient: true }],
  params,
  output: { kind: 'tokens', signed: true, complete: false },
  cost: ({ samples }) => 3 * samples + 4,
  /** scores[t] = E over baselines b and alpha in 0..1 of <x'[t] - b[t], dF/dx[t] at b + alpha (x' - b)>, x' = x + noise. */
  async run(context, { baseline, specialTokens, samples, noise, scalar }) {
    const { embedding, logits } = await embed(context)
    const blanks = await baselines(context, embedding, baseline, specialTokens)
    const target = settled(withScalar(context.target, scalar), logits.data)
    const { seed } = context
    const deviation = noise * deviationOf(embedding)
    const [tokens = 0, size = 0] = embedding.dims
    const paths = ({ first, count }: { first: number; count: number }): Paths => {
      const [from, to] = [new Float32Array(count * tokens * size), new Float32Array(count * tokens * size)]
      for (let row = 0; row < count; row += 1) {
        const drawn = randomStream(seed, 'baseline and noise', first + row)
        from.set(drawn.choice(blanks).embedding.data, row * tokens * size)
        to.set(
          deviation === 0 ? embedding.data : embedding.data.map((one) => one + deviation * drawn.normal()),
          row * tokens * size,
        )
      }
      const dims = [count, tokens, size]
      return { from: float32(from, dims), to: float32(to, dims) }
    }
    return explainedByPaths(context, { total: samples, tokens, paths }, target, logits)
  },
})

function deviationOf({ data }: FloatTensor): number {
  const mean = data.reduce((sum, one) => sum + one, 0) / data.length
  return Math.sqrt(data.reduce((sum, one) => sum + (one - mean) ** 2, 0) / data.length)
}
