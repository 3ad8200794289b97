/** SmoothGrad (Smilkov et al. 2017, 1706.03825) over any gradient method of pictures. */
import { z } from 'zod'
import { diagnoseMap } from '../../../lib/methods/image/shared/diagnose.ts'
import { layerParams } from '../../../lib/methods/image/shared/layer.ts'
import { imageMethod, type ImageMethod } from '../../../lib/methods/method.ts'
import { noisyRows } from '../../../lib/methods/shared/noise-rows.ts'
import { tapIn } from '../../../lib/methods/shared/reading.ts'
import { logitsOf } from '../../../lib/methods/shared/logits.ts'
import { averagedOverRows, readingOf } from '../../../lib/methods/shared/vary.ts'
import { settled } from '../../../lib/target/scalar.ts'
import { float32 } from '../../../lib/tensor/tensor.ts'

const params = z.strictObject({
  samples: z.int().min(1).max(1000).default(16).meta({ title: 'Samples', description: 'Noisy copies of the input.' }),
  noise: z.number().min(0).max(1).default(0.15).meta({
    title: 'Noise',
    description: 'Its standard deviation, as a share of the range of values.',
  }),
})
/** Of a method that is asked at a layer. */
const paramsAtLayer = layerParams.extend(params.shape)
type Params = z.infer<typeof params>
const PER_QUESTION = 8

const common = {
  id: 'smooth-grad',
  version: 1,
  family: 'gradient' as const,
  summary: 'The mean of a gradient over noisy copies of the input.',
  meaning: '',
  misleads: '',
  paper: null,
  cost: ({ samples }: Params) => 3 * samples + 1,
}

/** @param of any image method that reads a gradient; noise is added to the picture, by the range of each colour */
export function smoothImage(of: ImageMethod): ImageMethod {
  return imageMethod<Params>({
    ...common,
    params: of.needs[0]?.place === 'spatial-tap' ? paramsAtLayer : params,
    title: `SmoothGrad of ${of.title}`,
    modality: 'image',
    needs: of.needs,
    output: of.output,
    async run(context, { samples, noise }) {
      const { input, picture, units, seed } = context
      const tap = tapIn(context)
      const logits = await logitsOf(context)
      const ranges = units.highest.map((high, channel) => noise * (high - (units.lowest[channel] ?? high)))
      const deviation = float32(ranges, [1, ranges.length, 1, 1])
      const rows = noisyRows(input, picture, samples, { deviation, seed, purpose: 'noise' })
      const asked = { ...context, target: settled(context.target, logits.data) }
      const it = readingOf(of, asked, of.params.parse({}))
      const { it: map } = await averagedOverRows(context, { it }, rows, PER_QUESTION)
      return {
        kind: 'image',
        map,
        layer: tap.id,
        logits,
        diagnoses: diagnoseMap(map, logits, asked.target, null, context.head.link),
      }
    },
  })
}
