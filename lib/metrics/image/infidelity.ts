/**
 * Infidelity (Yeh et al. 2019, 1901.09392) with squares taken out of the picture: the mean over squares S of
 * (beta sum_S phi - (F(x) - F(x without S)))^2. The map says what pixels are worth, so it is summed over the square rather than
 * multiplied with the perturbation. `scale`: beta is 1, or the best one (E[a d] / E[a^2]), for maps that have no
 * unit of the score.
 */
import { z } from 'zod'
import { imageMetric } from '../metric.ts'
import { resultOf } from '../shared/result.ts'
import { mean, meanInterval } from '../shared/statistics.ts'
import { effectsOfSets, randomSquares, type SubsetEffect } from './shared/subsets.ts'

const params = z.strictObject({
  samples: z.int().min(2).max(5000).default(100).meta({
    title: 'Samples',
    description: 'How many squares are taken out, one after the other; each takes a prediction.',
  }),
  side: z.number().min(0.01).max(1).default(0.25).meta({
    title: 'Side',
    description: 'How long a side of the squares is, as a share of the shorter side of what the model sees.',
  }),
  scale: z.enum(['best', 'none']).default('best').meta({
    title: 'Scale',
    description: 'best: the map is multiplied by the number that fits best. none: it is taken as it is.',
  }),
})

/** Squared errors, one a set. */
function squaredErrors(effects: readonly SubsetEffect[], scale: 'best' | 'none'): readonly number[] {
  const squares = effects.reduce((sum, { attributed }) => sum + attributed ** 2, 0)
  const products = effects.reduce((sum, { attributed, lost }) => sum + attributed * lost, 0)
  const beta = scale === 'none' ? 1 : squares > 0 ? products / squares : 0
  return effects.map(({ attributed, lost }) => (beta * attributed - lost) ** 2)
}

export const infidelity = imageMetric<z.infer<typeof params>>({
  id: 'infidelity',
  version: 1,
  modality: 'image',
  family: 'faithfulness',
  title: 'Infidelity',
  summary: 'How far off the map is when it says what a square of the picture is worth.',
  meaning:
    'Squares are replaced by zeros in the model’s own numbers, one at a time. The number is the mean squared error of what the map sums to in a square against what the explained score loses without it, in the score’s unit squared; by default the map is first multiplied by the one number that fits best. The interval is of that mean.',
  misleads:
    'The number has a scale of its own for every picture, model and class: it compares maps of one picture, nothing else. With the best multiplier even a map of one value everywhere may come close, where squares cost about alike. Large squares take out objects and small ones texture: a map may be right at one size and wrong at another.',
  paper: {
    title: 'On the (In)fidelity and Sensitivity of Explanations',
    authors: 'Yeh, Hsieh, Suggala, Inouye, Ravikumar',
    year: 2019,
    url: 'https://arxiv.org/abs/1901.09392',
  },
  needs: [],
  needsAnnotation: false,
  params,
  better: 'lower',
  cost: ({ samples }) => samples + 1,
  async run(context, { samples, side, scale }) {
    const [, , height = 0, width = 0] = context.picture.dims
    const pixels = Math.max(1, Math.round(side * Math.min(height, width)))
    const errors = squaredErrors(await effectsOfSets(context, randomSquares(context, samples, pixels)), scale)
    return resultOf(mean(errors), { interval: meanInterval(errors) })
  },
})
