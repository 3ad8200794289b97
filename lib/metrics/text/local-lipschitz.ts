import { textMetric } from '../metric.ts'
import { LOCAL_LIPSCHITZ, largestSlope } from '../shared/stability.ts'
import { movesAround, neighbourParams, type NeighbourParams } from './shared/neighbours.ts'

export const localLipschitz = textMetric<NeighbourParams>({
  ...LOCAL_LIPSCHITZ,
  modality: 'text',
  summary: 'How steeply the scores change with the word embeddings, at the steepest of some neighbours.',
  meaning:
    'Texts that differ from this one in a few masked tokens are explained in the same way, for the same class; the number is the largest quotient of the distance between the scores, over the tokens that both have, and the distance between the word embeddings, both Euclidean.',
  misleads:
    'The quotient has the unit of the scores over that of the embeddings: scores ten times as large have ten times the number, so it compares neither methods nor models; max-sensitivity, which is relative, does. A masked word is no small step, so this is a slope between texts rather than at one.',
  needs: [{ place: 'embedding' }],
  params: neighbourParams,
  cost: ({ samples }, { again }) => samples * (again + 1) + 2,
  run: async (context, params) => largestSlope(await movesAround(context, params)),
})
