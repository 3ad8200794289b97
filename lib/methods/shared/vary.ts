/**
 * Wrappers: what a method reads once, read of several layers, for several targets, or of many neighbours of the input. They
 * take any method that has a `reading`, and compose: the readings of several layers are averaged over noise as one is.
 *
 * Letters: N rows, H x W extent, T tokens.
 */
import { add, given, type Formula } from '../../engine/formula.ts'
import type { Tap, TapId } from '../../engine/model.ts'
import { AppError } from '../../errors.ts'
import { settled } from '../../target/scalar.ts'
import type { Target } from '../../target/target.ts'
import { float32, row, type FloatTensor } from '../../tensor/tensor.ts'
import type { RunContext } from '../context.ts'
import type { ImageMethod, Method } from '../method.ts'
import { answered, batchesOf } from './batches.ts'
import { readRows, repeated, type Reading, type Rows } from './reading.ts'

type Asking = Pick<RunContext, 'model' | 'head' | 'signal' | 'target'> & Pick<Rows, 'feeds'>

/** What a method reads at a tap. @throws AppError METHOD_UNAVAILABLE for a method that does not read a gradient once */
export function readingOf<P>(
  method: Pick<ImageMethod<P>, 'reading' | 'title' | 'id'> | Method,
  tap: Tap,
  params: P,
): Reading {
  const reading = method.reading?.(tap, params as never)
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

/** Neighbours of an input or tap: itself plus a given tensor a row. */
export interface Neighbours {
  /** The model input or tap that is varied, and its value, [1, ...]. */
  readonly of: TapId
  readonly value: FloatTensor
  readonly count: number
  readonly perQuestion: number
  /** Adds row `index`'s difference to what is there, in place; of the value's size. */
  difference(index: number, into: Float32Array): void
}

const VALUE = 'neighbours: value'
const DIFFERENCE = 'neighbours: difference'

/**
 * The mean of a reading's attributions over neighbours of the input, each asked for the same target: SmoothGrad (Smilkov 2017,
 * 1706.03825, equation 1) of any gradient method. Row by row, so that the sum does not depend on the batches.
 */
export async function overNeighbours(
  context: Asking & Pick<RunContext, 'progress'>,
  reading: Reading,
  neighbours: Neighbours,
): Promise<{ readonly attribution: FloatTensor; readonly logits: FloatTensor; readonly target: Target }> {
  const { model, head, signal } = context
  const { of, value, count, perQuestion } = neighbours
  const answer = await model.ask({ feeds: context.feeds, read: [head.logits] }, signal)
  const logits = row(answered(answer.values, head.logits), 0)
  const target = settled(context.target, logits.data)
  let sum: Float64Array | null = null
  let dims: readonly number[] = []
  for (const batch of batchesOf({ total: count, perQuestion })) {
    const differences = new Float32Array(batch.count * value.data.length)
    for (let at = 0; at < batch.count; at += 1)
      neighbours.difference(
        batch.first + at,
        differences.subarray(at * value.data.length, (at + 1) * value.data.length),
      )
    const made: Formula = add(given(VALUE), given(DIFFERENCE))
    const others = Object.fromEntries(Object.entries(context.feeds).filter(([name]) => name !== of))
    const { outputs } = await readRows(
      context,
      { it: reading },
      {
        targets: Array.from({ length: batch.count }, () => target),
        feeds: repeated(others, batch.count),
        made: {
          inputs: { [of]: made },
          shared: { [VALUE]: value },
          perRow: { [DIFFERENCE]: float32(differences, [batch.count, ...value.dims.slice(1)]) },
        },
      },
    )
    for (const one of outputs['it'] ?? []) {
      const attribution = reading.attribution(one)
      dims = attribution.dims
      sum ??= new Float64Array(attribution.data.length)
      for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] ?? 0) + (attribution.data[at] ?? Number.NaN)
    }
    context.progress((batch.first + batch.count) / count)
  }
  const mean = Float32Array.from(sum ?? [], (one) => one / count)
  return { attribution: float32(mean, dims), logits, target }
}
