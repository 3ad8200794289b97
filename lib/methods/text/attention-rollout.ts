/** Attention rollout: how much of each token has arrived where the answer is read. Letters: T tokens, H heads. */
import { z } from 'zod'
import { max, mean, min, value } from '../../engine/formula.ts'
import { textMethod, type TextMethod } from '../method.ts'
import { float32, type FloatTensor } from '../../tensor/tensor.ts'
import { classifyingToken, followed, readAttention, timesLayer, tokenParam } from './shared/attention.ts'

const HEADS = { mean, min, max } as const

const params = z.strictObject({
  heads: z.enum(['mean', 'min', 'max']).default('mean').meta({
    title: 'Heads',
    description:
      'What stands for the heads of a layer: their mean, as in the paper, or their smallest or largest weight.',
  }),
  residual: z.number().min(0).max(0.99).default(0.5).meta({
    title: 'Residual',
    description: 'The share of a token that passes a layer beside its attention. The paper takes one half.',
  }),
  token: tokenParam,
})

export const attentionRollout: TextMethod = textMethod<z.infer<typeof params>>({
  id: 'attention-rollout',
  version: 1,
  modality: 'text',
  family: 'attention',
  title: 'Attention rollout',
  summary:
    'How much of each token arrives where the model reads its answer, if attention were all that moves information. The same for every class.',
  meaning:
    'Each layer mixes tokens: half by its attention (the mean of the heads), half by the residual connection that carries a token past it. The product of these mixtures over the layers says what share of each token has arrived at the token whose state is classified. Shares are never negative and add up to 1; they are the same whatever class is asked about.',
  misleads:
    'Attention weights say where a layer looked, not what it took: value vectors, feed-forward layers and the classifier are left out, and so is the class. Deep models tend to nearly uniform shares; separators and [CLS] collect much of them. Multiplying averages assumes that what is mixed stays mixed. Read it as a picture of the mixing and ask a gradient or occlusion method for reasons.',
  paper: {
    title: 'Quantifying Attention Flow in Transformers',
    authors: 'Abnar, Zuidema',
    year: 2020,
    url: 'https://arxiv.org/abs/2005.00928',
  },
  needs: [{ place: 'attention', gradient: true, alone: true }],
  params,
  output: { kind: 'tokens', signed: false, complete: false },
  // A gradient at the last layer tells where the answer is read.
  cost: () => 3,
  /** scores = the classifying token's row of A_L ... A_1, A = (1 - r) W + r I with rows that sum to 1; eq. 1 of the paper. */
  async run(context, { heads, residual, token }) {
    const fuse = (tap: string) => HEADS[heads](value(tap), [1])
    const read = await readAttention(attentionRollout, context, { target: context.target, token, fuse })
    context.progress(1)
    const { flow } = followed(read, (from, layer) => {
      const sums = Array.from(from.keys(), (row) => rowSum(layer, row))
      return timesLayer(from, layer, (own, row, column) => {
        const sum = (1 - residual) * (sums[row] ?? Number.NaN) + residual
        return ((1 - residual) * own + (row === column ? residual : 0)) / sum
      })
    })
    return {
      kind: 'text',
      scores: float32(Float32Array.from(flow), [flow.length]),
      wordReduction: 'absolute-max',
      logits: read.logits,
      completeness: null,
      diagnoses: [classifyingToken(context, read.rows)],
    }
  },
})

function rowSum({ data, dims: [, columns = 0] }: FloatTensor, row: number): number {
  return data.subarray(row * columns, (row + 1) * columns).reduce((sum, one) => sum + one, 0)
}
