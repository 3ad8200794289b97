/** How methods that only ask for predictions begin and end: the picture's own score first, then many versions of it. */
import { scalarOf, settled } from '../../../target/scalar.ts'
import type { FloatTensor } from '../../../tensor/tensor.ts'
import type { ImageContext } from '../../context.ts'
import type { Diagnosis } from '../../diagnosis.ts'
import type { ImageResult } from '../../method.ts'
import { rowsWithin } from '../../shared/batches.ts'
import type { Explaining } from '../../shared/made-rows.ts'
import { logitsOf } from '../../shared/logits.ts'
import { diagnoseMap } from './diagnose.ts'

const BATCH_BYTES = 256 * 2 ** 20
/** More at once are no faster, and small batches report and stop sooner. */
const MOST_AT_ONCE = 16

export interface Perturbing {
  /** Of the picture itself, [K]. */
  readonly logits: FloatTensor
  /** With the predicted class filled in. */
  readonly asking: Explaining
  /** The explained scalar of the picture itself. */
  readonly whole: number
  /** Pictures a question. */
  readonly perQuestion: number
}

/** One forward pass. */
export async function perturbing(context: ImageContext): Promise<Perturbing> {
  const { model, head } = context
  const logits = await logitsOf(context)
  const target = settled(context.target, logits.data)
  return {
    logits,
    asking: { ...context, target },
    whole: scalarOf(target, logits.data, head.link),
    perQuestion: rowsWithin(model, { bytes: BATCH_BYTES, mostRows: MOST_AT_ONCE, gradient: false }),
  }
}

/** @param map [H, W] over the model's input */
export function perturbed(
  { head }: ImageContext,
  { logits, asking }: Perturbing,
  map: FloatTensor,
  more: Partial<Pick<ImageResult, 'completeness'>> & { readonly diagnoses?: readonly Diagnosis[] } = {},
): ImageResult {
  return {
    kind: 'image',
    layer: null,
    ...more,
    map,
    logits,
    diagnoses: [...diagnoseMap(map, logits, asking.target, null, head.link), ...(more.diagnoses ?? [])],
  }
}
