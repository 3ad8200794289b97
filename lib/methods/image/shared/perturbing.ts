/** How methods that only ask for predictions begin and end: the picture's own score first, then many versions of it. */
import type { FloatTensor } from '../../../tensor/tensor.ts'
import type { ImageContext } from '../../context.ts'
import type { Diagnosis } from '../../diagnosis.ts'
import type { ImageResult } from '../../method.ts'
import { rowsWithin } from '../../shared/batches.ts'
import type { Explaining } from '../../shared/made-rows.ts'
import { askedOf, BATCH_BYTES } from './asked.ts'
import { diagnoseMap } from './diagnose.ts'

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
  const { logits, asking, scalar } = await askedOf(context)
  const memory = { bytes: BATCH_BYTES, mostRows: MOST_AT_ONCE, gradient: false }
  return { logits, asking, whole: scalar, perQuestion: rowsWithin(context.model, memory) }
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
