/**
 * A map's channels, one a row: as masks of a picture (Score-CAM) or taken out of it (Ablation-CAM).
 * Letters: N rows, C channels, h x w extent of the map, H x W extent of the picture.
 */
import { given, multiply } from '../../../engine/formula.ts'
import type { Tap } from '../../../engine/model.ts'
import type { TapId } from '../../../engine/tap-id.ts'
import { throwIfCancelled } from '../../../errors.ts'
import { settled } from '../../../target/scalar.ts'
import type { Target } from '../../../target/target.ts'
import { float32, row, type FloatTensor } from '../../../tensor/tensor.ts'
import type { ImageContext } from '../../context.ts'
import { channelsOf, type CostFacts } from '../../description.ts'
import { answered, type Batch } from '../../shared/batches.ts'
import type { MadeRows } from '../../shared/made-rows.ts'
import { tapIn } from '../../shared/reading.ts'

export interface LayerRead {
  readonly tap: Tap
  /** Of the layer, [1, C, h, w]. */
  readonly map: FloatTensor
  /** [K] */
  readonly logits: FloatTensor
  /** The context's, with the predicted class filled in. */
  readonly target: Target
}

/** One forward pass. @throws AppError CANCELLED */
export async function readLayer(context: ImageContext): Promise<LayerRead> {
  const { model, feeds, head, signal } = context
  const tap = tapIn(context)
  throwIfCancelled(signal)
  const { values } = await model.ask({ feeds, read: [tap.id, head.logits] }, signal)
  throwIfCancelled(signal)
  const logits = row(answered(values, head.logits), 0)
  return { tap, map: answered(values, tap.id), logits, target: settled(context.target, logits.data) }
}

/** Where the graph leaves the number of channels open. */
const MANY = 2048

/** Passes of a method that asks for each channel once, beside `others`. */
export function channelPasses(facts: CostFacts, others: number): number {
  return channelsOf(facts, MANY) + others
}

/** Channels of a map [1, C, h, w], a row each: [N, 1, h, w]. */
export function channelRows({ dims, data }: FloatTensor, { first, count }: Batch): FloatTensor {
  const [, , height = 0, width = 0] = dims
  const area = height * width
  return float32(data.subarray(first * area, (first + count) * area), [count, 1, height, width])
}

/** The map [1, C, h, w] of a tap, with another channel zero in each of C rows. */
export function withoutEachChannel(tap: TapId, map: FloatTensor): MadeRows {
  const [, channels = 0] = map.dims
  return {
    place: tap,
    total: channels,
    at: multiply(given('map'), given('kept')),
    shared: { map },
    perRow({ first, count }) {
      const kept = new Float32Array(count * channels).fill(1)
      for (let row = 0; row < count; row++) kept[row * channels + first + row] = 0
      return { kept: float32(kept, [count, channels, 1, 1]) }
    },
  }
}

/** sum_k weight_k A^k of a map [1, C, h, w]: [h, w], signed. */
export function weightedChannels({ dims, data }: FloatTensor, weights: ArrayLike<number>): FloatTensor {
  const [, channels = 0, height = 0, width = 0] = dims
  const area = height * width
  const sums = new Float64Array(area)
  for (let channel = 0; channel < channels; channel++)
    for (let at = 0; at < area; at++)
      sums[at] = (sums[at] as number) + (weights[channel] as number) * (data[channel * area + at] as number)
  return float32(Float32Array.from(sums), [height, width])
}
