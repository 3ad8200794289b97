/** From raw values to the range that a colour map shows. The stored values are never touched. */
import { AppError } from '../errors.ts'
import { float32 } from '../tensor/tensor.ts'
import type { FloatTensor } from '../tensor/tensor.ts'

export interface DisplayRange {
  /**
   * true: ReLU, then divided by the largest value, 0..1: only what speaks for the class.
   * false: divided by the largest absolute value, -1..1: zero stays zero, both sides have one scale.
   */
  readonly rectify: boolean
}

/**
 * Scales a map for display; its own extent, before any enlarging.
 *
 * A map that is zero everywhere, or negative everywhere when rectified, becomes zeros: blank, and never NaN. The reason
 * is told by the run's diagnoses.
 *
 * @param map raw and signed, of any shape
 * @throws AppError BAD_RESULT for values that are not finite
 */
export function normaliseForDisplay(map: FloatTensor, { rectify }: DisplayRange): FloatTensor {
  let scale = 0
  for (const value of map.data) {
    if (!Number.isFinite(value))
      throw new AppError({
        code: 'BAD_RESULT',
        message: `${value} in a map`,
        userMessage: 'This map has values that are not numbers, so it cannot be drawn.',
      })
    scale = Math.max(scale, rectify ? value : Math.abs(value))
  }
  if (scale === 0) return float32(new Float32Array(map.data.length), map.dims)
  return float32(
    map.data.map((value) => (rectify ? Math.max(0, value) : value) / scale),
    map.dims,
  )
}
