/** The `fill` parameter: what stands where a part of the picture is hidden. */
import { z } from 'zod'
import type { FloatTensor } from '../../../tensor/tensor.ts'
import type { ImageContext } from '../../context.ts'
import { randomPixels, singleBaseline } from './baseline.ts'

export const fillField = z.enum(['mean', 'black', 'blurred', 'noise']).default('mean').meta({
  title: 'Fill',
  description:
    'What stands where a part of the picture is hidden. mean: its mean colour. black. blurred: the picture out of focus. noise: random pixels, the same in every version.',
})
export type Fill = z.infer<typeof fillField>

/** A whole picture of what fills, [1, C, H, W], in the numbers that the model is fed. */
export function filling(context: ImageContext, fill: Fill): FloatTensor {
  return fill === 'noise' ? randomPixels(context, 'fill', 0) : singleBaseline(context, fill)
}
