/** SmoothGrad (Smilkov et al. 2017, 1706.03825) over any gradient method, of pictures and of texts. */
import { z } from 'zod'
import { diagnoseMap } from '../../../lib/methods/image/shared/diagnose.ts'
import { layerParams } from '../../../lib/methods/image/shared/layer.ts'
import { imageMethod, textMethod, type ImageMethod, type TextMethod } from '../../../lib/methods/method.ts'
import { saturation } from '../../../lib/methods/shared/diagnoses.ts'
import { noisyRows } from '../../../lib/methods/shared/noise-rows.ts'
import { repeated, tapIn } from '../../../lib/methods/shared/reading.ts'
import { logitsOf } from '../../../lib/methods/shared/logits.ts'
import { averagedOverRows, readingOf } from '../../../lib/methods/shared/vary.ts'
import { embed } from '../../../lib/methods/text/shared/embedding.ts'
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

/** @param of any text method that reads a gradient; noise is added to the embedding, by its largest less its smallest value */
export function smoothText(of: TextMethod): TextMethod {
  return textMethod<Params>({
    ...common,
    params,
    title: `SmoothGrad of ${of.title}`,
    modality: 'text',
    needs: of.needs,
    output: { ...of.output, complete: false },
    async run(context, { samples, noise }) {
      const { seed, feeds } = context
      const { embedding, logits } = await embed(context)
      const [low, high] = embedding.data.reduce(
        ([least, most], one) => [Math.min(least, one), Math.max(most, one)] as const,
        [Infinity, -Infinity] as readonly [number, number],
      )
      const tap = tapIn(context)
      const clean = float32(embedding.data, [1, ...embedding.dims])
      const rows = {
        ...noisyRows(tap.id, clean, samples, { deviation: noise * (high - low), seed, purpose: 'noise' }),
        feeds: (count: number) => repeated(feeds, count),
      }
      const asked = { ...context, target: settled(context.target, logits.data) }
      const it = readingOf(of, asked, of.params.parse({}))
      const { it: scores } = await averagedOverRows(context, { it }, rows, PER_QUESTION)
      const diagnoses = saturation('text', logits.data, asked.target, context.head.link)
      return { kind: 'text', scores, wordReduction: 'sum', logits, completeness: null, diagnoses }
    },
  })
}
