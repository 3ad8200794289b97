/** LibraGrad: gradient methods on a gradient that is complete through transformers. Letters: T tokens, E embedding size. */
import { z } from 'zod'
import type { TextContext } from '../context.ts'
import { textMethod } from '../method.ts'
import type { Reading } from '../shared/reading.ts'
import { readingOf } from '../shared/vary.ts'
import { gradientNorm } from './gradient-norm.ts'
import { inputXGradient } from './input-x-gradient.ts'
import { runReading } from './shared/gradient-method.ts'
import { scalarParam } from './shared/scalar-param.ts'

const RULES = 'libra'
/** What can be corrected: methods that read a gradient once. */
const OF = { 'input-x-gradient': inputXGradient, 'gradient-norm': gradientNorm } as const

const params = z.strictObject({
  of: z.enum(['input-x-gradient', 'gradient-norm']).default('input-x-gradient').meta({
    title: 'Method',
    description: 'What reads the corrected gradient: the signed share of each token, or the length of its gradient.',
  }),
  scalar: scalarParam,
})
type Params = z.infer<typeof params>

function reading(context: TextContext, { of, scalar }: Params): Reading {
  const method = OF[of]
  return { ...readingOf(method, context, method.params.parse({ scalar })), rules: { id: RULES } }
}

export const libraGrad = textMethod<Params>({
  id: 'libra-grad',
  version: 1,
  modality: 'text',
  family: 'gradient',
  title: 'LibraGrad',
  summary:
    'A gradient method on a gradient that is corrected for transformers: paths that break its sums are pruned or scaled, so that shares add up through every layer.',
  meaning:
    'The gradient of a transformer is out of balance: its product with the input, and with the biases, does not add up to the score. LibraGrad takes the gradient with attention maps, activation gates and the deviations of normalisations held constant and products of two branches halved; then it does. Of input x gradient the scores are signed shares in the unit of the score; of the gradient norm they are lengths, never negative.',
  misleads:
    'Complete means together with the biases and the position embeddings, whose shares are not shown. What a word does to attention is pruned with the map: words that only direct attention get nothing. The corrections are made for faithfulness of the sum, which does not make every single share right. With input x gradient an encoder without gates has the very numbers of CP-LRP, so their agreement is no evidence.',
  paper: {
    title: 'LibraGrad: Balancing Gradient Flow for Universally Better Vision Transformer Attributions',
    authors: 'Mehri, Soleymani Baghshah, Pilehvar',
    year: 2025,
    url: 'https://arxiv.org/abs/2411.16760',
  },
  needs: [{ place: 'embedding', gradient: true, rules: RULES }],
  params,
  output: { kind: 'tokens', signed: true, complete: false },
  cost: () => 3,
  reading,
  run: (context, chosen) =>
    runReading(context, reading(context, chosen), chosen.of === 'gradient-norm' ? 'absolute-max' : 'sum'),
})
