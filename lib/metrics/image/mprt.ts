import { imageMetric } from '../metric.ts'
import { followed } from '../shared/explained.ts'
import { valuesAt } from '../shared/other-classes.ts'
import { MPRT, similarityByDepth, type RandomisationParams } from '../shared/parameter-randomisation.ts'

export const mprt = imageMetric<RandomisationParams>({
  ...MPRT,
  modality: 'image',
  cost: ({ steps }, { again }) => 1 + steps * (again + 2),
  async run(context, params) {
    const { target } = await followed(context, false)
    const of = { ...context, target }
    const at = (share: number) => context.randomised(share, async (again) => valuesAt(await again(of)))
    return similarityByDepth(valuesAt(context.attribution), params, at, context.progress)
  },
})
