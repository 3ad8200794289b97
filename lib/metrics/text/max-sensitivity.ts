import { textMetric } from '../metric.ts'
import { MAX_SENSITIVITY, largestSensitivity } from '../shared/stability.ts'
import { movesAround, neighbourParams, type NeighbourParams } from './shared/neighbours.ts'

export const maxSensitivity = textMetric<NeighbourParams>({
  ...MAX_SENSITIVITY,
  modality: 'text',
  summary: 'The largest relative change of the scores when a token or a few are masked.',
  meaning:
    'Texts that differ from this one in a few masked tokens are explained in the same way, for the same class; the number is the largest distance between their scores and these, over the tokens that both have, as a share of these scores’ length. At 0 the other scores do not move at all.',
  misleads:
    'Text has no small changes: masking a word may change what the whole text says, and then scores that follow the model must move. Read it beside faithfulness, never alone: scores that ignore the text have 0, as the controls show. It is a maximum over random neighbours, which grows with their number.',
  params: neighbourParams,
  cost: ({ samples }, { again }) => samples * again + 1,
  run: async (context, params) => largestSensitivity(await movesAround(context, params), context.attribution),
})
