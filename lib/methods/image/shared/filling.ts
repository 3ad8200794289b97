/** The `fill` parameter: what stands where a part of the picture is hidden. */
import { z } from 'zod'
import type { FloatTensor } from '../../../tensor/tensor.ts'
import type { ImageContext } from '../../context.ts'
import { randomPixels } from './baseline.ts'

const FILLS = ['mean', 'black', 'blur', 'noise'] as const
export type Fill = (typeof FILLS)[number]

export const fillParam = z.enum(FILLS).default('mean').meta({
  title: 'Fill',
  description:
    'What stands where a part of the picture is hidden. mean: the picture\u2019s mean colour. black. blur: the picture out of focus. noise: random levels, the same for every version.',
})

/** Of the longer side: a blur in which shapes of the size of an object are gone. */
const BLUR = 1 / 20

/** A whole picture of what fills, [1, C, H, W], in the numbers that the model is fed. */
export function filling(context: ImageContext, fill: Fill): FloatTensor {
  const { units, picture } = context
  const [, , height = 0, width = 0] = picture.dims
  if (fill === 'black') return units.colour([0, 0, 0])
  if (fill === 'blur') return units.blurred(picture, Math.max(1, BLUR * Math.max(height, width)))
  if (fill === 'mean') return units.mean(picture)
  return randomPixels(context, 'fill', 0)
}
