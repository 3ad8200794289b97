import { imageMetric } from '../metric.ts'
import { resultOf } from '../shared/result.ts'
import { mean } from '../shared/statistics.ts'
import { ROAD, roadCurve, sharesOf, type RoadParams } from './shared/road.ts'

export const roadMost = imageMetric<RoadParams>({
  ...ROAD,
  id: 'road-most',
  title: 'ROAD, most relevant first',
  summary: 'How probable the class still is when the pixels that count most are imputed from their neighbours.',
  meaning:
    'The pixels with the largest values are taken out and filled smoothly from their neighbours, 10 % of them, 20 % and so on; the number is the mean probability of the explained class over these pictures. If the map is right about what the model uses, little of the class is left and the number is small. Because the filling is smooth and a little noisy, the shape of what was taken out gives nothing away, as the paper demands.',
  better: 'lower',
  cost: ({ steps }) => steps + 1,
  async run(context, params) {
    const value = await roadCurve(context, params, 'most')
    return resultOf(mean(value), { curve: { share: sharesOf(params), value } })
  },
})
