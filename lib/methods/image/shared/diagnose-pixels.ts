/** What the reader of a map of the picture itself must know about it: as of a layer, but there is no other one to try. */
import type { Target } from '../../../target/target.ts'
import type { FloatTensor } from '../../../tensor/tensor.ts'
import type { ImageContext } from '../../context.ts'
import type { Diagnosis } from '../../diagnosis.ts'
import { diagnoseMap } from './diagnose.ts'

const OF_THE_PICTURE: Readonly<Partial<Record<Diagnosis['code'], string>>> = {
  ZERO_GRADIENT:
    'The gradient of this class is zero at every pixel, so the map is empty: no small change of the picture changes the score.',
  CONSTANT_MAP: 'The map has the same value at every pixel: none counts more than another.',
}

/** @param largestGradient as `diagnoseMap` takes it */
export function diagnosePixels(
  { head }: Pick<ImageContext, 'head'>,
  map: FloatTensor,
  logits: FloatTensor,
  target: Target,
  largestGradient: number | null,
): readonly Diagnosis[] {
  return diagnoseMap(map, logits, target, largestGradient, head.link).map((one) => ({
    ...one,
    message: OF_THE_PICTURE[one.code] ?? one.message,
  }))
}
