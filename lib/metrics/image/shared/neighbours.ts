/** Neighbours of a picture: each value moved by a uniform draw, within a share of the values' range. */
import { z } from 'zod'
import { randomStream } from '../../../methods/shared/random.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { JudgedImage } from '../../metric.ts'
import { followed } from '../../shared/explained.ts'
import { distance, type Move } from '../../shared/stability.ts'

export const neighbourParams = z.strictObject({
  samples: z.int().min(1).max(1000).default(10).meta({
    title: 'Samples',
    description: 'How many neighbours are explained; the largest change of them is told, so more of them find more.',
  }),
  radius: z.number().min(0).max(1).default(0.02).meta({
    title: 'Radius',
    description: 'The furthest that a value moves, as a share of its range (0.02: five levels of 255).',
  }),
})
export type NeighbourParams = z.infer<typeof neighbourParams>

function neighbourOf({ picture, units, seed }: JudgedImage, radius: number, sample: number): FloatTensor {
  const { uniform } = randomStream(seed, 'neighbour', sample)
  const area = picture.data.length / units.lowest.length
  const moved = picture.data.map((value, at) => {
    const channel = Math.floor(at / area)
    const range = (units.highest[channel] ?? 0) - (units.lowest[channel] ?? 0)
    return value + radius * Math.abs(range) * (2 * uniform() - 1)
  })
  return float32(moved, picture.dims)
}

/** Explains each neighbour with the same method, for the same class. */
export async function movesAround(context: JudgedImage, { samples, radius }: NeighbourParams): Promise<Move[]> {
  const { target } = await followed(context, false)
  const moves: Move[] = []
  for (let sample = 0; sample < samples; sample += 1) {
    const picture = neighbourOf(context, radius, sample)
    const map = await context.again({ ...context, target, picture, feeds: { [context.input]: picture } })
    moves.push({ input: distance(picture, context.picture), attribution: distance(map, context.attribution) })
    context.progress((sample + 1) / samples)
  }
  return moves
}
