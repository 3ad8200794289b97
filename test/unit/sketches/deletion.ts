/** Deletion (Petsiuk et al. 2018, 1806.07421): the area under the probability while the most important pixels are blacked out. */
import { z } from 'zod'
import { given } from '../../../lib/engine/formula.ts'
import { behindMasks } from '../../../lib/methods/image/shared/masked-picture.ts'
import { logitsOf } from '../../../lib/methods/shared/logits.ts'
import { everyScalar } from '../../../lib/methods/shared/made-rows.ts'
import { imageMetric } from '../../../lib/metrics/metric.ts'
import { upsampleBilinear } from '../../../lib/render/upsample.ts'
import { classOf } from '../../../lib/target/scalar.ts'
import { float32 } from '../../../lib/tensor/tensor.ts'

const PER_QUESTION = 8
const params = z.strictObject({ steps: z.int().min(2).max(1000).default(28) })

export const deletion = imageMetric<z.infer<typeof params>>({
  id: 'deletion',
  version: 1,
  modality: 'image',
  title: 'Deletion',
  summary: 'How fast the probability falls when the pixels that count most are taken away first.',
  meaning: '',
  misleads: '',
  paper: null,
  needs: [],
  params,
  better: 'lower',
  cost: ({ steps }) => steps + 1,
  async run(context, { steps }) {
    const { picture, units } = context
    const [, , height = 0, width = 0] = picture.dims
    const map = upsampleBilinear(context.attribution, width, height)
    // Ties keep their place, so that the order is the same everywhere.
    const order = Array.from(map.data.keys()).sort((a, b) => (map.data[b] ?? 0) - (map.data[a] ?? 0) || a - b)
    const share = Array.from({ length: steps + 1 }, (_, step) => step / steps)
    const keep = (part: number): Float32Array => {
      const mask = new Float32Array(height * width).fill(1)
      for (const pixel of order.slice(0, Math.round(part * order.length))) mask[pixel] = 0
      return mask
    }
    const rows = behindMasks(context, {
      total: share.length,
      mask: given('keep'),
      filling: units.colour([0, 0, 0]),
      perRow: ({ first, count }) => {
        const masks = share.slice(first, first + count).map(keep)
        return { keep: float32(Float32Array.from(masks.flatMap((mask) => [...mask])), [count, 1, height, width]) }
      },
    })
    const predicted = classOf(context.target, (await logitsOf(context)).data)
    const target = { kind: 'probability', index: predicted } as const
    const values = [...(await everyScalar({ ...context, target }, rows, PER_QUESTION))]
    const area = values.slice(1).reduce((sum, one, at) => sum + (one + (values[at] ?? 0)) / 2 / steps, 0)
    return { value: area, curve: { share, value: values }, diagnoses: [] }
  },
})
