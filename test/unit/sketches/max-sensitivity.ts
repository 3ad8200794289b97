/** Max-sensitivity (Yeh et al. 2019, 1901.09392, definition 3): how far the map moves when the picture hardly does. */
import { z } from 'zod'
import { imageMetric } from '../../../lib/metrics/metric.ts'
import { logitsOf } from '../../../lib/methods/shared/logits.ts'
import { randomStream } from '../../../lib/methods/shared/random.ts'
import { settled } from '../../../lib/target/scalar.ts'
import { float32 } from '../../../lib/tensor/tensor.ts'

const params = z.strictObject({
  samples: z.int().min(1).max(1000).default(10),
  /** The largest change of a value, as a share of its range. */
  radius: z.number().min(0).max(1).default(0.02),
})

const lengthOf = (values: Iterable<number>): number => Math.sqrt([...values].reduce((sum, one) => sum + one * one, 0))

export const maxSensitivity = imageMetric<z.infer<typeof params>>({
  id: 'max-sensitivity',
  version: 1,
  modality: 'image',
  title: 'Max-sensitivity',
  summary: 'The largest relative change of the map under small changes of the picture.',
  meaning: '',
  misleads: '',
  paper: null,
  needs: [],
  params,
  better: 'lower',
  cost: ({ samples }) => 4 * samples + 1,
  async run(context, { samples, radius }) {
    const { attribution, again, picture, input, units, seed } = context
    const target = settled(context.target, (await logitsOf(context)).data)
    const plane = picture.data.length / units.lowest.length
    const whole = lengthOf(attribution.data)
    let value = 0
    for (let sample = 0; sample < samples; sample += 1) {
      const { uniform } = randomStream(seed, 'ball', sample)
      const moved = picture.data.map((one, at) => {
        const channel = Math.floor(at / plane)
        const range = (units.highest[channel] ?? 0) - (units.lowest[channel] ?? 0)
        return one + radius * range * (2 * uniform() - 1)
      })
      const neighbour = float32(moved, picture.dims)
      const map = await again({ ...context, target, picture: neighbour, feeds: { [input]: neighbour } })
      const distance = lengthOf(map.data.map((one, at) => one - (attribution.data[at] ?? Number.NaN)))
      value = Math.max(value, distance / whole)
      context.progress((sample + 1) / samples)
    }
    return { value, curve: null, diagnoses: [] }
  },
})
