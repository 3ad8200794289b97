/** |sum phi - (F(x) - F(b))| / |F(x) - F(b)| (Sundararajan et al. 2017, 1703.01365, proposition 1), at a stated baseline b. */
import { z } from 'zod'
import { float32, type FloatTensor } from '../../tensor/tensor.ts'
import { imageMetric, type JudgedImage } from '../metric.ts'
import { COMPLETENESS_ERROR, completenessResult } from '../shared/completeness.ts'
import { followed } from '../shared/explained.ts'

const params = z.strictObject({
  baseline: z.enum(['black', 'blurred', 'mean', 'zero']).default('black').meta({
    title: 'Baseline',
    description:
      'What the picture is compared with. black: levels 0. blurred: itself, out of focus (standard deviation: a tenth of the shorter side). mean: its mean colour. zero: zeros in the model’s own numbers.',
  }),
})

function baselineOf({ picture, units }: JudgedImage, kind: z.infer<typeof params>['baseline']): FloatTensor {
  if (kind === 'black') return units.colour([0, 0, 0])
  if (kind === 'mean') return units.mean(picture)
  if (kind === 'blurred') return units.blurred(picture, Math.min(...picture.dims.slice(2)) / 10)
  return float32(new Float32Array(picture.data.length), picture.dims)
}

export const completenessError = imageMetric<z.infer<typeof params>>({
  ...COMPLETENESS_ERROR,
  modality: 'image',
  summary: 'How far the values are from adding up to what the picture makes of the score.',
  meaning:
    'A complete attribution distributes the difference between the score of the picture and that of a baseline over the pixels, so that they add up to it. The number is what is lacking or too much, as a share of that difference: 0 is exact, 0.01 one per cent, 1 as much as the difference itself. The score is the number that the run explains.',
  misleads:
    'Only methods that promise to be complete can be near 0, and only at their own baseline: choose the one that the method was given. It says nothing of where the values lie: the uniform control with the right level has the same sum. Where picture and baseline score alike the share is of nearly nothing, and large for any method.',
  needs: [],
  params,
  cost: () => 2,
  async run(context, { baseline }) {
    const { target, whole } = await followed(context, false)
    const feeds = { [context.input]: baselineOf(context, baseline) }
    const { whole: without } = await followed({ ...context, target, feeds }, false)
    return completenessResult(context.attribution.data, whole - without)
  },
})
