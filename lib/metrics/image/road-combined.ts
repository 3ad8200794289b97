import { imageMetric } from '../metric.ts'
import { resultOf } from '../shared/result.ts'
import { mean } from '../shared/statistics.ts'
import { ROAD_PAPER, roadCurve, roadParams, sharesOf, type RoadParams } from './shared/road.ts'

export const roadCombined = imageMetric<RoadParams>({
  id: 'road-combined',
  version: 1,
  modality: 'image',
  family: 'faithfulness',
  title: 'ROAD, combined',
  summary: 'Half the difference that it makes which pixels are imputed: those that count least, or most.',
  meaning:
    'The curve is half the difference of two: the probability of the class while the least relevant pixels are imputed, less that while the most relevant are, for growing shares of them; the number is its mean, as pytorch-grad-cam has it. It is above 0 where the map tells important pixels from unimportant ones, 0 for one that does not, and below for one that has them the wrong way round.',
  misleads:
    'Smooth imputation hides the holes that trouble deletion, but what is imputed out of little is a blur, and a class that is known by its colours survives it. The noise is drawn from the seed. The curve tells more than its mean: where it falls early the top of the map is right, and late its bottom is wrong. Probabilities of a model that is nearly sure hardly move until much is gone; compare on one picture, beside the controls.',
  paper: ROAD_PAPER,
  needs: [],
  needsAnnotation: false,
  params: roadParams,
  better: 'higher',
  cost: ({ steps }) => 2 * (steps + 1),
  async run(context, params) {
    const share = sharesOf(params)
    const half = (fraction: number): void => context.progress(fraction / 2)
    const most = await roadCurve({ ...context, progress: half }, params, 'most')
    const second = (fraction: number): void => context.progress((1 + fraction) / 2)
    const least = await roadCurve({ ...context, progress: second }, params, 'least')
    const value = least.map((one, at) => (one - (most[at] ?? NaN)) / 2)
    return resultOf(mean(value), { curve: { share, value } })
  },
})
