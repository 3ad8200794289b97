import { imageMetric } from '../metric.ts'
import { LOCAL_LIPSCHITZ, largestSlope } from '../shared/stability.ts'
import { movesAround, neighbourParams, type NeighbourParams } from './shared/neighbours.ts'

export const localLipschitz = imageMetric<NeighbourParams>({
  ...LOCAL_LIPSCHITZ,
  modality: 'image',
  summary: 'How steeply the map changes with the picture, at the steepest of some neighbours.',
  meaning:
    'Pictures that a person could not tell from this one are explained in the same way, for the same class; the number is the largest quotient of the distance between the maps and the distance between the pictures, both Euclidean, in the numbers that the model is fed. It estimates from below the Lipschitz constant of the explanation around this picture.',
  misleads:
    'The quotient has the unit of the map over that of the picture: a map whose values are ten times as large has ten times the number, so it compares neither methods nor models; max-sensitivity, which is relative, does. As a maximum over random neighbours it only ever grows with their number. A map that ignores the picture has 0.',
  needs: [],
  params: neighbourParams,
  cost: ({ samples }, { again }) => samples * again + 1,
  run: async (context, params) => largestSlope(await movesAround(context, params)),
})
