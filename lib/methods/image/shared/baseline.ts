/**
 * Baselines: what "nothing to see here" is, in the model's own numbers, [1, C, H, W].
 *
 * None is neutral (Sturmfels et al. 2020, https://doi.org/10.23915/distill.00022): with a black one black pixels score 0 whatever
 * they show, a blurred one hides edges and keeps colours. So several may be averaged over.
 */
import { z } from 'zod'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { ImageContext } from '../../context.ts'
import { randomStream } from '../../shared/random.ts'

export const SINGLE_BASELINES = ['black', 'white', 'blurred', 'mean'] as const
export type SingleBaseline = (typeof SINGLE_BASELINES)[number]
const SEVERAL = ['black', 'blurred', 'mean'] as const

const WHAT =
  'What the picture is compared with. black, white: that colour. blurred: the picture out of focus. mean: its mean colour.'
export const singleBaselineField = z
  .enum(SINGLE_BASELINES)
  .default('black')
  .meta({ title: 'Baseline', description: WHAT })
export const baselineField = z
  .enum([...SINGLE_BASELINES, 'random', 'several'])
  .default('black')
  .meta({
    title: 'Baseline',
    description: `${WHAT} random: the average over pictures of random pixels. several: the average over black, blurred and mean.`,
  })
export const randomBaselinesField = z.int().min(1).max(50).default(5).meta({
  title: 'Random baselines',
  description: 'How many pictures of random pixels to average over, where the baseline is random.',
})

/** Standard deviation of the blur, as a share of the shorter side: of 224 pixels 22. */
export const BLUR_SHARE = 0.1

type Pictured = Pick<ImageContext, 'picture' | 'units' | 'seed'>

/** Standard deviation in pixels of the widest blur. */
export function widestBlur({ picture }: Pick<ImageContext, 'picture'>, share = BLUR_SHARE): number {
  const [, , height = 1, width = 1] = picture.dims
  return share * Math.min(height, width)
}

const MADE: Readonly<Record<SingleBaseline, (context: Pictured) => FloatTensor>> = {
  black: ({ units }) => units.colour([0, 0, 0]),
  white: ({ units }) => units.colour([255, 255, 255]),
  blurred: (context) => context.units.blurred(context.picture, widestBlur(context)),
  mean: ({ units, picture }) => units.mean(picture),
}

export const singleBaseline = (context: Pictured, choice: SingleBaseline): FloatTensor => MADE[choice](context)

/** Every number of it uniform over what a picture may have there; the same for the same seed and row. */
export function randomPixels({ picture, units, seed }: Pictured, purpose: string, row: number): FloatTensor {
  const { uniform } = randomStream(seed, purpose, row)
  const area = picture.data.length / units.lowest.length
  const data = picture.data.map((_, at) => {
    const [low = 0, high = 0] = [units.lowest[Math.floor(at / area)], units.highest[Math.floor(at / area)]]
    return low + uniform() * (high - low)
  })
  return float32(data, picture.dims)
}

interface BaselineChoice {
  readonly baseline: SingleBaseline | 'random' | 'several'
  readonly randomBaselines: number
}

export function baselineCount({ baseline, randomBaselines }: BaselineChoice): number {
  return baseline === 'random' ? randomBaselines : baseline === 'several' ? SEVERAL.length : 1
}

/** Each baseline that a choice stands for, made when it is its turn. */
export function* baselinesOf(context: Pictured, choice: BaselineChoice): Generator<FloatTensor, void, undefined> {
  if (choice.baseline === 'random')
    for (let row = 0; row < choice.randomBaselines; row += 1) yield randomPixels(context, 'baseline', row)
  else if (choice.baseline === 'several') for (const one of SEVERAL) yield singleBaseline(context, one)
  else yield singleBaseline(context, choice.baseline)
}
