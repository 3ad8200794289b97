/** Occlusion: how the score changes when tokens are hidden, one window at a time. Letters: T tokens, E embedding size. */
import { z } from 'zod'
import { scalarOf, settled } from '../../target/scalar.ts'
import { float32 } from '../../tensor/tensor.ts'
import { textMethod } from '../method.ts'
import { baselines } from './shared/baseline.ts'
import { saturation } from '../shared/diagnoses.ts'
import { batchSize, embed, ofTokens, scalarsAt } from './shared/embedding.ts'
import { scalarParam, withScalar } from './shared/scalar-param.ts'

const params = z.strictObject({
  replacement: z.enum(['mask', 'pad', 'zero']).default('mask').meta({
    title: 'Replacement',
    description: 'What hides a token. mask: the mask token. pad: the padding token. zero: a vector of zeros.',
  }),
  window: z.int().min(1).max(16).default(1).meta({
    title: 'Window',
    description:
      'How many neighbouring tokens are hidden at once; a token scores the mean over the windows that hide it.',
  }),
  scalar: scalarParam,
})

export const occlusion = textMethod<z.infer<typeof params>>({
  id: 'occlusion',
  version: 1,
  modality: 'text',
  family: 'perturbation',
  title: 'Occlusion',
  summary:
    'How much the score of the class falls when a token is hidden. Needs no gradient, so it checks the methods that do; it takes one prediction a token.',
  meaning:
    'How far the score falls when a token is hidden, measured, not estimated: one prediction for each window, averaged over the windows that hide the token. Positive: the token speaks for the class. The unit is that of the score.',
  misleads:
    'Hiding one word of two that say the same changes nothing, so both score near zero; a wider window finds them. A text with [MASK] in it is unlike any the model met in training (unless it is a masked-language model), and part of the change may be that. The scores do not add up to the score.',
  paper: {
    title: 'Understanding Neural Networks through Representation Erasure',
    authors: 'Li, Monroe, Jurafsky',
    year: 2016,
    url: 'https://arxiv.org/abs/1612.08220',
  },
  needs: [{ place: 'embedding' }],
  params,
  output: { kind: 'tokens', signed: true, complete: false },
  // One row for each window that does not begin too late; the first pass finds the embedding.
  cost: (_, { tokens }) => tokens + 1,
  /** scores[t] = mean over windows W that hold t of F(x) - F(x with W replaced). Special tokens are never hidden: 0. */
  async run(context, { replacement, window, scalar }) {
    const { embedding, logits } = await embed(context)
    const target = settled(withScalar(context.target, scalar), logits.data)
    const whole = scalarOf(target, logits.data, context.head.link)
    const [hidden] = await baselines(context, embedding, replacement, 'keep')
    if (hidden === undefined) throw new RangeError('no replacement')
    const [tokens = 0, size = 0] = embedding.dims
    const words = context.special.flatMap((special, token) => (special ? [] : [token]))
    const extent = Math.min(window, words.length)
    const windows = words.slice(extent - 1).map((_, first) => words.slice(first, first + extent))
    const sums = new Float64Array(tokens)
    const counts = new Float64Array(tokens)
    const rows = batchSize(tokens)
    for (let first = 0; first < windows.length; first += rows) {
      const batch = windows.slice(first, first + rows)
      const points = new Float32Array(batch.length * tokens * size) // [B, T, E]
      batch.forEach((covered, row) => {
        points.set(embedding.data, row * tokens * size)
        for (const token of covered) {
          const from = hidden.embedding.data.subarray(token * size, (token + 1) * size)
          points.set(from, (row * tokens + token) * size)
        }
      })
      const scalars = await scalarsAt(context, float32(points, [batch.length, tokens, size]), target)
      batch.forEach((covered, row) => {
        for (const token of covered) {
          sums[token] = (sums[token] ?? 0) + whole - (scalars[row] ?? Number.NaN)
          counts[token] = (counts[token] ?? 0) + 1
        }
      })
      context.progress((first + batch.length) / windows.length)
    }
    if (windows.length === 0) context.progress(1)
    return {
      kind: 'text',
      scores: ofTokens(
        context,
        float32(
          Float32Array.from(sums, (sum, token) => sum / Math.max(1, counts[token] ?? 0)),
          [tokens],
        ),
      ),
      wordReduction: 'absolute-max',
      logits,
      completeness: null,
      diagnoses: saturation('text', logits.data, target, context.head.link),
    }
  },
})
