/**
 * Wrappers: what a method reads once, read of several layers, for several targets, or of many neighbours of the input. They
 * take any method that has a `reading`, and compose: the readings of several layers are averaged over noise as one is.
 *
 * Letters: N rows, H x W extent, T tokens.
 */
import type { Tap, TapId } from '../../engine/model.ts'
import { AppError } from '../../errors.ts'
import type { Target } from '../../target/target.ts'
import { float32, type FloatTensor } from '../../tensor/tensor.ts'
import type { RunContext } from '../context.ts'
import type { ImageMethod, Method } from '../method.ts'
import { batchesOf } from './batches.ts'
import type { Explaining, MadeRows } from './made-rows.ts'
import { readRows, repeated, type Reading, type Rows } from './reading.ts'

type Asking = Pick<RunContext, 'model' | 'head' | 'signal' | 'target'> & Pick<Rows, 'feeds'>

/** What a method reads at a tap. @throws AppError METHOD_UNAVAILABLE for a method that does not read a gradient once */
export function readingOf<P>(
  method: Pick<ImageMethod<P>, 'reading' | 'title' | 'id'> | Method,
  tap: Tap,
  params: P,
): Reading {
  const reading = method.reading?.(tap, params)
  if (reading !== undefined) return reading
  throw new AppError({
    code: 'METHOD_UNAVAILABLE',
    message: `${method.title} does not read a gradient once, so it cannot be averaged or read at several layers in one pass.`,
    details: { method: method.id },
  })
}

export interface OfTargets {
  /** Tap -> its attribution, for each target: [H, W] or [T]. */
  readonly attributions: ReadonlyMap<TapId, readonly FloatTensor[]>
  /** Of the input, [K]. */
  readonly logits: FloatTensor
}

/** Attributions at several taps for several targets, from one question. */
export async function overLayersAndTargets(
  context: Asking,
  taps: readonly Tap[],
  targets: readonly Target[],
  read: (tap: Tap) => Reading,
): Promise<OfTargets> {
  const readings = Object.fromEntries(taps.map((tap) => [tap.id, read(tap)]))
  const feeds = repeated(context.feeds, targets.length)
  const { outputs, logits } = await readRows(context, readings, { targets, feeds })
  const [first] = logits
  if (first === undefined) throw new RangeError('no target')
  return {
    attributions: new Map(
      taps.map(({ id }) => [id, (outputs[id] ?? []).map((one) => readings[id]?.attribution(one) ?? first)]),
    ),
    logits: first,
  }
}

/**
 * The mean of a reading's attributions over variations of the input, each asked for the same target: with noisy rows that is
 * SmoothGrad (Smilkov et al. 2017, 1706.03825, equation 2) of any gradient method. Summed row by row in double precision, so
 * that it does not depend on the batches.
 * @param target settled: left to the model, each row would have its own class
 */
export async function averagedOverRows(
  context: Explaining,
  reading: Reading,
  rows: MadeRows,
  perQuestion: number,
): Promise<FloatTensor> {
  const { place, at, shared, total } = rows
  let sum: Float64Array | null = null
  let dims: readonly number[] = []
  for (const batch of batchesOf({ total, perQuestion })) {
    const { outputs } = await readRows(
      context,
      { it: reading },
      {
        targets: Array.from({ length: batch.count }, () => context.target),
        feeds: rows.feeds?.(batch.count) ?? {},
        made: { inputs: { [place]: at }, shared, perRow: rows.perRow(batch) },
      },
    )
    for (const one of outputs['it'] ?? []) {
      const attribution = reading.attribution(one)
      dims = attribution.dims
      sum ??= new Float64Array(attribution.data.length)
      for (let index = 0; index < sum.length; index += 1)
        sum[index] = (sum[index] ?? 0) + (attribution.data[index] ?? Number.NaN)
    }
    context.progress((batch.first + batch.count) / total)
  }
  return float32(
    Float32Array.from(sum ?? [], (one) => one / total),
    dims,
  )
}
