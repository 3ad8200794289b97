import { imageMetric } from '../metric.ts'
import { resultOf } from '../shared/result.ts'
import { mean } from '../shared/statistics.ts'
import { ROAD_PAPER, roadCurve, roadParams, sharesOf, type RoadParams } from './shared/road.ts'

export const roadLeast = imageMetric<RoadParams>({
  id: 'road-least',
  version: 1,
  modality: 'image',
  family: 'faithfulness',
  title: 'ROAD, least relevant first',
  summary: 'How probable the class still is when the pixels that count least are imputed from their neighbours.',
  meaning:
    'The pixels with the smallest values are taken out and filled smoothly from their neighbours, 10 % of them, 20 % and so on; the number is the mean probability of the explained class over these pictures. If the map is right about what the model does without, the class stays and the number is large. Because the filling is smooth and a little noisy, the shape of what was taken out gives nothing away.',
  misleads:
    'Smooth imputation hides the holes that trouble deletion, but what is imputed out of little is a blur, and a class that is known by its colours survives it. The noise is drawn from the seed. The curve tells more than its mean: where it falls early the top of the map is right, and late its bottom is wrong. Probabilities of a model that is nearly sure hardly move until much is gone; compare on one picture, beside the controls.',
  paper: ROAD_PAPER,
  needs: [],
  needsAnnotation: false,
  params: roadParams,
  better: 'higher',
  cost: ({ steps }) => steps + 1,
  async run(context, params) {
    const value = await roadCurve(context, params, 'least')
    return resultOf(mean(value), { curve: { share: sharesOf(params), value } })
  },
})
