/**
 * ROAD (Rong et al. 2022, 2202.00449): the probability of the class while the pixels that count most, or least, are taken out
 * and imputed, for several shares of them.
 */
import { z } from 'zod'
import { given } from '../../../engine/formula.ts'
import { everyScalar } from '../../../methods/shared/made-rows.ts'
import { randomStream } from '../../../methods/shared/random.ts'
import { float32 } from '../../../tensor/tensor.ts'
import type { JudgedImage } from '../../metric.ts'
import { followed } from '../../shared/explained.ts'
import { byFallingScore } from '../../shared/ranking.ts'
import { imputed } from './imputation.ts'
import { pixelScores, rowsAtOnce } from './pixels.ts'

const roadParams = z.strictObject({
  steps: z.int().min(1).max(50).default(9).meta({
    title: 'Steps',
    description: 'For how many shares of the pixels: 9 are 10, 20 ... 90 %.',
  }),
  noise: z.number().min(0).max(1).default(0.01).meta({
    title: 'Noise',
    description: 'Standard deviation of what is added to each imputed value, in the model’s own numbers.',
  }),
})
export type RoadParams = z.infer<typeof roadParams>

const ROAD_PAPER = {
  title: 'A Consistent and Efficient Evaluation Strategy for Attribution Methods',
  authors: 'Rong, Leemann, Borisov, Kasneci, Kasneci',
  year: 2022,
  url: 'https://arxiv.org/abs/2202.00449',
}

/** Shares of the pixels that are taken out. */
export function sharesOf({ steps }: RoadParams): readonly number[] {
  return Array.from({ length: steps }, (_, step) => (step + 1) / (steps + 1))
}

/** The probability of the class at each share. @param first which pixels go first */
export async function roadCurve(
  context: JudgedImage,
  params: RoadParams,
  first: 'most' | 'least',
): Promise<readonly number[]> {
  const { picture, input, seed } = context
  const falling = byFallingScore(pixelScores(context))
  const order = first === 'most' ? falling : falling.toReversed()
  const shares = sharesOf(params)
  const { target } = await followed(context)
  const rows = {
    place: input,
    total: shares.length,
    at: given('imputed'),
    shared: {},
    perRow({ first: from, count }: { first: number; count: number }) {
      const data = new Float32Array(count * picture.data.length)
      for (let row = 0; row < count; row += 1) {
        const missing = new Uint8Array(order.length)
        const gone = Math.min(order.length - 1, Math.floor((shares[from + row] ?? 0) * order.length))
        for (const pixel of order.subarray(0, gone)) missing[pixel] = 1
        const { normal } = randomStream(seed, `imputed, ${first} first`, from + row)
        data.set(imputed(picture, missing, params.noise, normal), row * picture.data.length)
      }
      return { imputed: float32(data, [count, ...picture.dims.slice(1)]) }
    },
  }
  return [...(await everyScalar({ ...context, target }, rows, rowsAtOnce(context)))]
}

/** What these metrics say of themselves alike. */
export const ROAD = {
  version: 1,
  modality: 'image',
  family: 'faithfulness',
  misleads:
    'Smooth imputation hides the holes that trouble deletion, but what is imputed out of little is a blur, and a class that is known by its colours survives it. The noise is drawn from the seed. The curve tells more than its mean: where it falls early the top of the map is right, and late its bottom is wrong. Probabilities of a model that is nearly sure hardly move until much is gone; compare on one picture, beside the controls.',
  paper: ROAD_PAPER,
  needs: [],
  needsAnnotation: false,
  params: roadParams,
} as const
