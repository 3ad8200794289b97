import { textMetric } from '../metric.ts'
import { followed } from '../shared/explained.ts'
import { valuesAt } from '../shared/other-classes.ts'
import { MPRT, similarityByDepth, type RandomisationParams } from '../shared/parameter-randomisation.ts'
import { wordScores, wordTokens } from './shared/tokens.ts'

export const mprt = textMetric<RandomisationParams>({
  ...MPRT,
  modality: 'text',
  cost: ({ steps }, { again }) => 1 + steps * (again + 2),
  async run(context, params) {
    const { target } = await followed(context, false)
    const of = { ...context, target }
    const at = (share: number) =>
      context.randomised(share, async (again) => valuesAt(await again(of), wordTokens(context)))
    return similarityByDepth(wordScores(context), params, at, context.progress)
  },
})
