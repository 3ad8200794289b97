import { imageMetric } from '../metric.ts'
import { resultOf } from '../shared/result.ts'
import { mean } from '../shared/statistics.ts'
import { ROAD, roadCurve, sharesOf, type RoadParams } from './shared/road.ts'

export const roadCombined = imageMetric<RoadParams>({
  ...ROAD,
  id: 'road-combined',
  title: 'ROAD, combined',
  summary: 'Half the difference that it makes which pixels are imputed: those that count least, or most.',
  meaning:
    'The curve is half the difference of two: the probability of the class while the least relevant pixels are imputed, less that while the most relevant are, for growing shares of them; the number is its mean, as pytorch-grad-cam has it. It is above 0 where the map tells important pixels from unimportant ones, 0 for one that does not, and below for one that has them the wrong way round.',
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
