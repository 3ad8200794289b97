/** SmoothGrad (Smilkov et al. 2017, 1706.03825) over any gradient method, of pictures and of texts. */
import { z } from 'zod'
import { gradient, sum } from '../../../lib/engine/formula.ts'
import { imageMethod, textMethod, type ImageMethod, type TextMethod } from '../../../lib/methods/method.ts'
import { randomStream } from '../../../lib/methods/shared/random.ts'
import { tapIn } from '../../../lib/methods/shared/reading.ts'
import { overNeighbours, readingOf } from '../../../lib/methods/shared/vary.ts'
import { embed } from '../../../lib/methods/text/shared/embedding.ts'
import { float32, row } from '../../../lib/tensor/tensor.ts'

const params = z.strictObject({
  samples: z.int().min(1).max(1000).default(16),
  /** Standard deviation, as a share of the range of values. */
  noise: z.number().min(0).max(1).default(0.15),
})
type Params = z.infer<typeof params>
const PER_QUESTION = 8

const common = {
  version: 1,
  family: 'gradient',
  summary: 'The mean of a gradient over noisy copies of the input.',
  paper: null,
  params,
  cost: ({ samples }: Params) => 3 * samples + 1,
}

/** The gradient at the pixels, summed over colours. */
export const imageGradient = imageMethod<Params>({
  ...common,
  id: 'gradient',
  title: 'Gradient',
  modality: 'image',
  needs: [{ place: 'input', gradient: true }],
  output: { kind: 'map', signed: true, complete: false },
  reading: (tap) => ({
    outputs: { map: sum(gradient(tap.id), [1]) }, // [N, 1, H, W]
    attribution: ({ map }) => row(map ?? float32([], [0]), 0),
  }),
  run: () => Promise.reject(new Error('only read here')),
})

/** @param of any image method that reads a gradient; noise is added to the picture */
export function smoothImage(of: ImageMethod): ImageMethod {
  return imageMethod<Params>({
    ...common,
    id: 'smooth-grad',
    title: `SmoothGrad of ${of.title}`,
    modality: 'image',
    needs: of.needs,
    output: of.output,
    async run(context, { samples, noise }) {
      const { input, picture, units, seed } = context
      const tap = tapIn(context)
      const plane = picture.data.length / units.lowest.length
      const { attribution, logits } = await overNeighbours(context, readingOf(of, tap, of.params.parse({})), {
        of: input,
        value: picture,
        count: samples,
        perQuestion: PER_QUESTION,
        difference(index, into) {
          const random = randomStream(seed, 'noise', index)
          units.lowest.forEach((low, channel) => {
            const deviation = noise * ((units.highest[channel] ?? low) - low)
            for (let at = 0; at < plane; at += 1) into[channel * plane + at] = deviation * random.normal()
          })
        },
      })
      return { kind: 'image', map: attribution, layer: tap.id, logits, diagnoses: [] }
    },
  })
}

/** @param of any text method that reads a gradient; noise is added to the embedding, its range the largest minus the smallest */
export function smoothText(of: TextMethod): TextMethod {
  return textMethod<Params>({
    ...common,
    id: 'smooth-grad',
    title: `SmoothGrad of ${of.title}`,
    modality: 'text',
    needs: of.needs,
    output: { ...of.output, complete: false },
    async run(context, { samples, noise }) {
      const { embedding } = await embed(context)
      const extent = embedding.data.reduce((most, one) => Math.max(most, one), -Infinity)
      const deviation = noise * (extent - embedding.data.reduce((least, one) => Math.min(least, one), Infinity))
      const tap = tapIn(context)
      const { attribution, logits } = await overNeighbours(context, readingOf(of, tap, of.params.parse({})), {
        of: tap.id,
        value: float32(embedding.data, [1, ...embedding.dims]),
        count: samples,
        perQuestion: PER_QUESTION,
        difference(index, into) {
          const random = randomStream(context.seed, 'noise', index)
          for (let at = 0; at < into.length; at += 1) into[at] = deviation * random.normal()
        },
      })
      return { kind: 'text', scores: attribution, wordReduction: 'sum', logits, completeness: null, diagnoses: [] }
    },
  })
}
