/** What methods that ask for many versions of one picture begin with. */
import { rowsWithin } from '../../shared/batches.ts'
import { logitsOf } from '../../shared/logits.ts'
import type { Explaining } from '../../shared/made-rows.ts'
import { scalarOf, settled } from '../../../target/scalar.ts'
import type { FloatTensor } from '../../../tensor/tensor.ts'
import type { ImageContext } from '../../context.ts'

/** What a batch of pictures may take. */
const BATCH_BYTES = 256 * 2 ** 20
/** Measured on MobileNet v2 and two cores: more at once are no faster. */
const MOST_ROWS = 8
/** Without gradients more fit, and are no faster either; small batches report and stop sooner. */
const MOST_FORWARD_ROWS = 16

/** Versions of the picture in one question, with their gradients. */
export function gradientRows({ model, picture }: Pick<ImageContext, 'model' | 'picture'>): number {
  const openExtent = Math.max(...picture.dims.slice(2))
  return rowsWithin(model, { bytes: BATCH_BYTES, mostRows: MOST_ROWS, gradient: true, openExtent })
}

/** Versions of the picture in one question, without gradients. */
export function forwardRows({ model, picture }: Pick<ImageContext, 'model' | 'picture'>): number {
  const openExtent = Math.max(...picture.dims.slice(2))
  return rowsWithin(model, { bytes: BATCH_BYTES, mostRows: MOST_FORWARD_ROWS, gradient: false, openExtent })
}

export interface Asked {
  /** The context's, with the predicted class filled in, so that it stays the same at other pictures. */
  readonly asking: Explaining & ImageContext
  /** Of the picture itself, [K]. */
  readonly logits: FloatTensor
  /** What is explained, of the picture itself. */
  readonly scalar: number
}

/** One forward pass. @throws AppError CANCELLED, UNKNOWN_LABEL */
export async function askedOf(context: ImageContext): Promise<Asked> {
  const logits = await logitsOf(context)
  const target = settled(context.target, logits.data)
  return { asking: { ...context, target }, logits, scalar: scalarOf(target, logits.data, context.head.link) }
}
