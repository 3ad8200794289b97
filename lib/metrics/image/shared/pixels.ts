/**
 * Attributions, pixel by pixel of what the model is fed, and pictures of which some pixels are gone.
 * Letters: N rows, C channels, H x W extent of the feed.
 */
import { given } from '../../../engine/formula.ts'
import { behindMasks } from '../../../methods/image/shared/masked-picture.ts'
import { rowsWithin } from '../../../methods/shared/batches.ts'
import { everyScalar } from '../../../methods/shared/made-rows.ts'
import type { ImageContext } from '../../../methods/context.ts'
import { upsampleBilinear } from '../../../render/upsample.ts'
import type { Target } from '../../../target/target.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { JudgedImage } from '../../metric.ts'

const BATCH = { bytes: 256 * 2 ** 20, mostRows: 16, gradient: false }

/** Rows to ask at once. */
export function rowsAtOnce({ model, picture }: Pick<ImageContext, 'model' | 'picture'>): number {
  return rowsWithin(model, { ...BATCH, openExtent: picture.dims.at(-1) ?? 1 })
}

/** H and W. */
export function extentOf({ dims }: FloatTensor): { readonly height: number; readonly width: number } {
  const [, , height = 0, width = 0] = dims
  return { height, width }
}

/** The map enlarged bilinearly to the feed, [H * W]: raw and signed. */
export function pixelScores({ attribution, picture }: Pick<JudgedImage, 'attribution' | 'picture'>): Float32Array {
  const { height, width } = extentOf(picture)
  return upsampleBilinear(attribution, width, height).data
}

/**
 * The number followed of pictures that keep some of their pixels, in double precision.
 * @param kept pixel masks, made when it is their turn: [H * W], 1 where the picture stays
 * @param filling what stands elsewhere, [1, C, H, W]; left out: zeros in the model's own numbers
 */
export function scalarsOfMasked(
  context: ImageContext,
  target: Target,
  total: number,
  kept: (row: number) => Float32Array,
  filling?: FloatTensor,
): Promise<Float64Array> {
  const { height, width } = extentOf(context.picture)
  const area = height * width
  const rows = behindMasks(context, {
    total,
    mask: given('kept'),
    ...(filling === undefined ? {} : { filling }),
    perRow({ first, count }) {
      const masks = new Float32Array(count * area)
      for (let row = 0; row < count; row += 1) masks.set(kept(first + row), row * area)
      return { kept: float32(masks, [count, 1, height, width]) }
    },
  })
  return everyScalar({ ...context, target }, rows, rowsAtOnce(context))
}
