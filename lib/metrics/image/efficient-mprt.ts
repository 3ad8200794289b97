import { imageMetric } from '../metric.ts'
import { followed } from '../shared/explained.ts'
import { valuesAt } from '../shared/other-classes.ts'
import { EFFICIENT_MPRT, relativeRise } from '../shared/parameter-randomisation.ts'

export const efficientMprt = imageMetric({
  ...EFFICIENT_MPRT,
  modality: 'image',
  cost: (_params, { again }) => again + 3,
  async run(context) {
    const { target } = await followed(context, false)
    const of = { ...context, target }
    const after = await context.randomised(1, async (again) => valuesAt(await again(of)))
    return relativeRise(valuesAt(context.attribution), after)
  },
})
