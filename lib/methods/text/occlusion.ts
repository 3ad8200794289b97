/** Occlusion: how the score changes when tokens are hidden, one window at a time. Letters: T tokens, E embedding size. */
import { z } from 'zod'
import { scalarOf, settled } from '../../target/scalar.ts'
import { float32, type FloatTensor } from '../../tensor/tensor.ts'
import type { TextContext, TokenGroup } from '../context.ts'
import { textMethod } from '../method.ts'
import { batchesOf } from '../shared/batches.ts'
import { saturation } from '../shared/diagnoses.ts'
import { baselines } from './shared/baseline.ts'
import { batchSize, embed, scalarsAt } from './shared/embedding.ts'
import { scalarsOfTexts, textWithout } from './shared/hiding.ts'
import { scalarParam, withScalar } from './shared/scalar-param.ts'

const params = z.strictObject({
  unit: z.enum(['token', 'word', 'sentence']).default('token').meta({
    title: 'Unit',
    description: 'What is hidden at once: a token, all tokens of a word, or a whole sentence.',
  }),
  replacement: z.enum(['mask', 'pad', 'zero', 'delete']).default('mask').meta({
    title: 'Replacement',
    description:
      'What hides a token. mask: the mask token. pad: the padding token. zero: a vector of zeros. delete: nothing, the text is shorter.',
  }),
  window: z.int().min(1).max(512).default(1).meta({
    title: 'Window',
    description:
      'How many neighbouring units are hidden at once; a token scores the mean over the windows that hide it.',
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
    'How much the score of the class falls when a token, a word or a sentence is hidden. Needs no gradient, so it checks the methods that do; it takes one prediction a token.',
  meaning:
    'How far the score falls when a token (or its word, or its sentence) is hidden, measured, not estimated: one prediction for each window, averaged over the windows that hide the token. Positive: the token speaks for the class. The unit is that of the score.',
  misleads:
    'Hiding one word of two that say the same changes nothing, so both score near zero; a wider window, or a whole sentence as the unit, finds them. A text with [MASK] in it is unlike any the model met in training (unless it is a masked-language model), and part of the change may be that. The scores do not add up to the score.',
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
  async run(context, { unit, replacement, window, scalar }) {
    const { embedding, logits } = await embed(context)
    const target = settled(withScalar(context.target, scalar), logits.data)
    const whole = scalarOf(target, logits.data, context.head.link)
    const units = unitsOf(context, unit)
    const extent = Math.min(window, units.length)
    const windows = units.slice(extent - 1).map((_, first) => units.slice(first, first + extent).flat())
    const asking = { ...context, target }
    const hidden =
      replacement === 'delete'
        ? await whereDeleted(asking, windows, whole)
        : await whereReplaced(asking, windows, embedding, replacement)
    const sums = new Float64Array(context.tokenIds.length)
    const counts = new Float64Array(context.tokenIds.length)
    windows.forEach((covered, at) => {
      for (const token of covered) {
        sums[token] = (sums[token] ?? 0) + whole - (hidden[at] ?? Number.NaN)
        counts[token] = (counts[token] ?? 0) + 1
      }
    })
    if (windows.length === 0) context.progress(1)
    const scores = Float32Array.from(sums, (sum, token) => sum / Math.max(1, counts[token] ?? 0))
    return {
      kind: 'text',
      scores: float32(scores, [scores.length]),
      wordReduction: 'absolute-max',
      logits,
      completeness: null,
      diagnoses: saturation('text', logits.data, target, context.head.link),
    }
  },
})

function unitsOf(context: TextContext, unit: 'token' | 'word' | 'sentence'): readonly TokenGroup[] {
  if (unit === 'word') return context.words()
  if (unit === 'sentence') return context.sentences()
  return context.special.flatMap((special, token) => (special ? [] : [[token]]))
}

/** The scalar of the text without each window's tokens. */
function whereDeleted(asking: TextContext, windows: readonly TokenGroup[], whole: number): Promise<Float64Array> {
  const without = textWithout(asking, 'delete')
  const idsOf = (text: number): readonly number[] => without(new Set(windows[text]))
  return scalarsOfTexts(asking, { total: windows.length, idsOf, whole }, asking.progress)
}

/** The scalar where each window's embeddings are others. @param embedding of the text, [T, E] */
async function whereReplaced(
  asking: TextContext,
  windows: readonly TokenGroup[],
  embedding: FloatTensor,
  replacement: 'mask' | 'pad' | 'zero',
): Promise<readonly number[]> {
  const [hidden] = await baselines(asking, embedding, replacement, 'keep')
  if (hidden === undefined) throw new RangeError('no replacement')
  const [tokens = 0, size = 0] = embedding.dims
  const scalars: number[] = []
  for (const { first, count } of batchesOf({ total: windows.length, perQuestion: batchSize(tokens) })) {
    const points = new Float32Array(count * tokens * size) // [B, T, E]
    windows.slice(first, first + count).forEach((covered, row) => {
      points.set(embedding.data, row * tokens * size)
      for (const token of covered) {
        const from = hidden.embedding.data.subarray(token * size, (token + 1) * size)
        points.set(from, (row * tokens + token) * size)
      }
    })
    scalars.push(...(await scalarsAt(asking, float32(points, [count, tokens, size]), asking.target)))
    asking.progress((first + count) / windows.length)
  }
  return scalars
}
