import { imageMetric } from '../metric.ts'
import { followed } from '../shared/explained.ts'
import { valuesAt } from '../shared/other-classes.ts'
import {
  MPRT_PAPER,
  randomisationParams,
  similarityByDepth,
  type RandomisationParams,
} from '../shared/parameter-randomisation.ts'

export const mprt = imageMetric<RandomisationParams>({
  id: 'mprt',
  version: 1,
  modality: 'image',
  family: 'sanity',
  title: 'Parameter randomisation',
  summary: 'How much the explanation stays the same while the model forgets what it learnt, from the output on.',
  meaning:
    'The layers are given random weights one group after the other, from the output to the input, and the same method explains the same class each time. The curve has Spearman’s rank correlation of absolute values with the original explanation for each share of the layers; the number is its mean. An explanation of what the model learnt must fall towards 0; one that stays near 1 explains the input and not the model.',
  misleads:
    'Random weights still pass edges and words on, and the structure of the input keeps correlations above 0 for any method: compare with the control that looks at the input alone, and between methods. Noise also lowers the number: a noisy explanation falls fast without being better (Hedström et al. 2024). Absolute values are compared, so a change of sign counts as none. Only kernels, matrices and embeddings are drawn; biases and normalisations stay.',
  paper: MPRT_PAPER,
  needs: [],
  needsAnnotation: false,
  params: randomisationParams,
  better: 'lower',
  cost: ({ steps }, { again }) => 1 + steps * (again + 2),
  async run(context, params) {
    const { target } = await followed(context, false)
    const of = { ...context, target }
    const at = (share: number) => context.randomised(share, async (again) => valuesAt(await again(of)))
    return similarityByDepth(valuesAt(context.attribution), params, at, context.progress)
  },
})
