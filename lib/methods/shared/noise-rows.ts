/** One input with normal noise, as SmoothGrad (Smilkov et al. 2017, equation 2) averages over. */
import { add, given, multiply } from '../../engine/formula.ts'
import type { TapId } from '../../engine/tap-id.ts'
import { float32, sizeOf, type FloatTensor } from '../../tensor/tensor.ts'
import type { MadeRows } from './made-rows.ts'
import { randomStream } from './random.ts'

export interface Noise {
  /** Standard deviation, in the units of what is fed: one for all, or a tensor that widens to it, [1, ...]. */
  readonly deviation: number | FloatTensor
  /** The run's. */
  readonly seed: number
  /** Names the stream; row k draws the same numbers in every batch. */
  readonly purpose: string
}

/** @param clean [1, ...] */
export function noisyRows(
  place: TapId,
  clean: FloatTensor,
  total: number,
  { deviation, seed, purpose }: Noise,
): MadeRows {
  const size = sizeOf(clean.dims)
  const spread = typeof deviation === 'number' ? null : deviation
  const scale = typeof deviation === 'number' ? deviation : 1
  return {
    place,
    total,
    at: add(given('clean'), spread === null ? given('noise') : multiply(given('spread'), given('noise'))),
    shared: { clean, ...(spread === null ? {} : { spread }) },
    perRow({ first, count }) {
      const noise = new Float32Array(count * size)
      for (let row = 0; row < count; row++) {
        const { normal } = randomStream(seed, purpose, first + row)
        for (let at = 0; at < size; at++) noise[row * size + at] = scale * normal()
      }
      return { noise: float32(noise, [count, ...clean.dims.slice(1)]) }
    },
  }
}
