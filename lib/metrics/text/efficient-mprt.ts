import { z } from 'zod'
import { textMetric } from '../metric.ts'
import { followed } from '../shared/explained.ts'
import { valuesAt } from '../shared/other-classes.ts'
import { LOOK_AT_MPRT_PAPER, relativeRise } from '../shared/parameter-randomisation.ts'
import { wordScores, wordTokens } from './shared/tokens.ts'

export const efficientMprt = textMetric({
  id: 'efficient-mprt',
  version: 1,
  modality: 'text',
  family: 'sanity',
  title: 'Efficient parameter randomisation',
  summary: 'How much more complex the explanation becomes when the model forgets all it learnt.',
  meaning:
    'All layers are given random weights, and the same method explains the same class. The number is the relative rise of the explanation’s complexity, the entropy of the histogram of its values over 100 bins: above 0 where the explanation of the random model is more disordered, as it should be, 0 where it is the same. It needs one random model and compares no two explanations place by place, so that neither noise nor the order of layers has a say.',
  misleads:
    'It knows values and not places: an explanation that moves to somewhere else and keeps its histogram counts as unchanged. Explanations that are noisy to begin with cannot become much noisier and look bad. The histogram of a small map or a short text has few values in many bins, and its entropy says little.',
  paper: LOOK_AT_MPRT_PAPER,
  needs: [],
  needsAnnotation: false,
  params: z.strictObject({}),
  better: 'higher',
  cost: (_params, { again }) => again + 3,
  async run(context) {
    const { target } = await followed(context, false)
    const of = { ...context, target }
    const after = await context.randomised(1, async (again) => valuesAt(await again(of), wordTokens(context)))
    return relativeRise(wordScores(context), after)
  },
})
