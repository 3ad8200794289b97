import { imageMetric } from '../metric.ts'
import { MAX_SENSITIVITY, largestSensitivity } from '../shared/stability.ts'
import { movesAround, neighbourParams, type NeighbourParams } from './shared/neighbours.ts'

export const maxSensitivity = imageMetric<NeighbourParams>({
  ...MAX_SENSITIVITY,
  modality: 'image',
  summary: 'The largest relative change of the map under small changes of the picture.',
  meaning:
    'Pictures that a person could not tell from this one are explained in the same way, for the same class; the number is the largest distance between their maps and this one, as a share of this map’s length. At 0 the map does not move at all; at 1 the change is as large as the map. Small numbers mean that one may rely on the map’s details.',
  misleads:
    'The number is a maximum over a few random neighbours: it grows with their number and with the radius, so values with other parameters, and those of other libraries, are on other scales. A map that ignores the picture has 0, as the controls show: stability is no sign of being right. Where the model itself turns within the radius, a faithful map must move.',
  params: neighbourParams,
  cost: ({ samples }, { again }) => samples * again + 1,
  run: async (context, params) => largestSensitivity(await movesAround(context, params), context.attribution),
})
