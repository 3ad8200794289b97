/**
 * Expected gradients: integrated gradients averaged over a background of other texts, by samples of both.
 * Letters: T tokens, E embedding size.
 */
import { z } from 'zod'
import { settled } from '../../target/scalar.ts'
import { float32, repeatRow, type FloatTensor } from '../../tensor/tensor.ts'
import { textMethod } from '../method.ts'
import type { Batch } from '../shared/batches.ts'
import { backgroundField, drawer, lookUp } from './shared/background.ts'
import { embed } from './shared/embedding.ts'
import { explainedByPaths, type Paths } from './shared/sampled-paths.ts'
import { scalarParam, withScalar } from './shared/scalar-param.ts'

const params = z.strictObject({
  background: backgroundField,
  samples: z.int().min(1).max(1000).default(64).meta({
    title: 'Samples',
    description: 'How many texts of the background are drawn, each with one point on the way from it.',
  }),
  scalar: scalarParam,
})

export const expectedGradients = textMethod<z.infer<typeof params>>({
  id: 'expected-gradients',
  version: 1,
  modality: 'text',
  family: 'gradient',
  title: 'Expected gradients',
  summary:
    'What each token adds to the score of the class, compared with texts of random words in place of a single blank one.',
  meaning:
    'Integrated gradients asks what changes from one baseline; expected gradients averages that over a background of texts, so that no single blank decides. For each sample a text of random tokens and a point on the straight way from it are drawn, and the score is the mean slope times the way, in the unit of the score. In expectation the scores add up to the difference from the mean score of the background.',
  misleads:
    'The paper draws its background from training data, which a model file does not bring along: random tokens are no language, and a model may lean to a class on them. `own-words` keeps the words and asks about their order only, so a word that counts wherever it stands gets little. It is a random estimate: repeat it with another seed before reading small scores.',
  paper: {
    title: 'Improving Performance of Deep Learning Models with Axiomatic Attribution Priors and Expected Gradients',
    authors: 'Erion, Janizek, Sturmfels, Lundberg, Lee',
    year: 2021,
    url: 'https://arxiv.org/abs/1906.10670',
  },
  needs: [{ place: 'embedding', gradient: true }],
  params,
  output: { kind: 'tokens', signed: true, complete: false },
  // Each sample's embedding is looked up, at less than a forward pass.
  cost: ({ samples }) => 4 * samples + 1,
  /** scores[t] = E over texts b of the background and alpha in 0..1 of <x[t] - b[t], dF/dx[t] at b + alpha (x - b)>. */
  async run(context, { background, samples, scalar }) {
    const draw = drawer(context, background)
    const { embedding, logits } = await embed(context)
    const target = settled(withScalar(context.target, scalar), logits.data)
    const [tokens = 0] = embedding.dims
    const text = float32(embedding.data, [1, ...embedding.dims])
    const paths = async ({ first, count }: Batch): Promise<Paths> => {
      const rows = Array.from({ length: count }, (_, row) => draw(first + row))
      return { from: await lookUp(context, rows), to: repeatRow(text, count) as FloatTensor }
    }
    return explainedByPaths(context, { total: samples, tokens, paths }, target, logits)
  },
})
