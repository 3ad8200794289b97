/** Gradient-weighted attention: rollout of what attention helps the class. Letters: T tokens, H heads. */
import { z } from 'zod'
import { gradient, mean, multiply, relu, value } from '../../engine/formula.ts'
import { float32 } from '../../tensor/tensor.ts'
import { textMethod, type TextMethod } from '../method.ts'
import { saturation, zeroGradient } from '../shared/diagnoses.ts'
import { classifyingToken, followed, readAttention, timesLayer, tokenParam } from './shared/attention.ts'
import { scalarParam, withScalar } from './shared/scalar-param.ts'

const params = z.strictObject({ token: tokenParam, scalar: scalarParam })

export const attentionGradient: TextMethod = textMethod<z.infer<typeof params>>({
  id: 'attention-gradient',
  version: 1,
  modality: 'text',
  family: 'attention',
  title: 'Gradient-weighted attention',
  summary:
    'How much of each token arrives where the model reads its answer, through attention that speaks for the class: each weight counts by its positive gradient.',
  meaning:
    'In every layer and head an attention weight is multiplied by its gradient, what a little more of it would add to the score; negative products are dropped and the heads averaged. The layers are then chained as in rollout, each adding to the identity that the residual connection is. The scores are the row of the token whose state is classified: relevance for this class, never negative. The identity that a token starts with is left out: it says nothing of attention.',
  misleads:
    'Evidence against the class is dropped at every layer, so a token without a score may still speak against it, and two classes can look alike. Only attention counts: what feed-forward layers and value vectors do to a token is in the gradients alone. The size of the scores depends on the number of layers and compares between models no more than between texts.',
  paper: {
    title: 'Generic Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder Transformers',
    authors: 'Chefer, Gur, Wolf',
    year: 2021,
    url: 'https://arxiv.org/abs/2103.15679',
  },
  needs: [{ place: 'attention', gradient: true, alone: true }],
  params,
  output: { kind: 'tokens', signed: false, complete: false },
  cost: () => 3,
  /** scores = the classifying token's row of R - I; R = I, then R + A' R, A' = mean over heads of (grad A * A)+; eq. 5 and 6. */
  async run(context, { token, scalar }) {
    const fuse = (tap: string) => mean(relu(multiply(gradient(tap), value(tap))), [1])
    const target = withScalar(context.target, scalar)
    const read = await readAttention(attentionGradient, context, { target, token, fuse })
    context.progress(1)
    const { start, flow } = followed(read, (from, layer) =>
      timesLayer(from, layer).map((one, token) => one + (from[token] ?? 0)),
    )
    const largest = read.layers.reduce((most, { data }) => data.reduce((one, other) => Math.max(one, other), most), 0)
    return {
      kind: 'text',
      scores: float32(
        Float32Array.from(flow, (one, token) => one - (start[token] ?? 0)),
        [flow.length],
      ),
      wordReduction: 'absolute-max',
      logits: read.logits,
      completeness: null,
      diagnoses: [
        classifyingToken(context, read.rows),
        ...zeroGradient('text', largest),
        ...saturation('text', read.logits.data, read.target, context.head.link),
      ],
    }
  },
})
