/** How methods that only ask for predictions of versions of the picture end. */
import type { FloatTensor } from '../../../tensor/tensor.ts'
import type { Diagnosis } from '../../diagnosis.ts'
import type { ImageResult } from '../../method.ts'
import type { Asked } from './asked.ts'
import { diagnoseMap } from './diagnose.ts'

/** @param map [H, W] over the model's input */
export function perturbed(
  { asking, logits }: Asked,
  map: FloatTensor,
  more: Partial<Pick<ImageResult, 'completeness'>> & { readonly diagnoses?: readonly Diagnosis[] } = {},
): ImageResult {
  return {
    kind: 'image',
    layer: null,
    ...more,
    map,
    logits,
    diagnoses: [...diagnoseMap(map, logits, asking.target, null, asking.head.link), ...(more.diagnoses ?? [])],
  }
}
