/**
 * Wrappers: what a method reads once, read of several layers, for several targets, or of many neighbours of the input. They
 * take any method that has a `reading`, and compose: the readings of several layers are averaged over noise as one is.
 *
 * Letters: N rows, H x W extent, T tokens.
 */
import type { Tap } from '../../engine/model.ts'
import type { TapId } from '../../engine/tap-id.ts'
import { AppError } from '../../errors.ts'
import { settled, statedTogether } from '../../target/scalar.ts'
import type { Target } from '../../target/target.ts'
import { float32, sizeOf, type FloatTensor } from '../../tensor/tensor.ts'
import type { RunContext } from '../context.ts'
import { batchesOf } from './batches.ts'
import type { Explaining, MadeRows } from './made-rows.ts'
import { readRows, repeated, sameRules, type Reading, type ReadOnce, type Rows } from './reading.ts'

/**
 * What a method reads in a context: at its tap, of its target.
 * @throws AppError METHOD_UNAVAILABLE for a method that does not read a gradient once
 */
export function readingOf<Context extends RunContext>(
  method: { readonly id: string; readonly title: string; reading?(context: Context, params: unknown): Reading },
  context: Context,
  params: unknown,
): Reading {
  const reading = method.reading?.(context, params)
  if (reading !== undefined) return reading
  throw new AppError({
    code: 'METHOD_UNAVAILABLE',
    message: `${method.title} does not read a gradient once, so it cannot be averaged or read at several layers in one pass.`,
    details: { method: method.id },
  })
}

/** Layers whose readings can stand in one question: nothing that one of them gives or bends is another's. */
function together(readings: readonly Reading[]): boolean {
  return readings.length === 1 || readings.every((one) => one.shared === undefined && sameRules(one.rules, readings[0]?.rules)) // prettier-ignore
}

/**
 * Readings at several taps for several targets, in as few questions as there can be: one, but for targets that the engine
 * cannot differentiate beside each other, taps at which a method bends the gradient in different ways, and more targets than
 * fit a question.
 * @param read what is read in a context with one of the taps and one of the targets; its outputs are the same for every target
 * @returns tap -> target -> what was read
 */
export async function readLayersAndTargets<Context extends RunContext & Pick<Rows, 'feeds'>>(
  context: Context,
  taps: readonly Tap[],
  targets: readonly Target[],
  perQuestion: number,
  read: (context: Context) => Reading,
): Promise<ReadonlyMap<TapId, readonly ReadOnce[]>> {
  const [tap] = taps
  const [target] = targets
  if (tap === undefined || target === undefined) throw new RangeError('no layer or no target')
  const readings = taps.map((one) => [one.id, read({ ...context, tap: one, target })] as const)
  const asked = targets.map((one) => read({ ...context, tap, target: one }).target)
  const inOne = together(readings.map(([, reading]) => reading))
  const questions = (inOne ? [readings] : readings.map((one) => [one])).flatMap((layers) =>
    statedTogether(asked, context.head).flatMap(
      (alike) =>
      batchesOf({ total: alike.length, perQuestion }).map(({ first, count }) => ({ layers, rows: alike.slice(first, first + count) })), // prettier-ignore
    ),
  )
  const found = new Map(taps.map(({ id }) => [id, [] as ReadOnce[]]))
  for (const [done, { layers, rows }] of questions.entries()) {
    const rowTargets = rows.map((row) => asked[row] ?? target)
    const { outputs, logits } = await readRows(context, Object.fromEntries(layers), {
      targets: rowTargets,
      feeds: repeated(context.feeds, rows.length),
    })
    for (const [id] of layers)
      for (const [at, row] of rows.entries()) {
        const [read, answered, of] = [outputs[id]?.[at], logits[at], rowTargets[at]]
        const ofTap = found.get(id)
        if (read === undefined || answered === undefined || of === undefined || ofTap === undefined)
          throw new AppError({ code: 'INTERNAL', message: `the engine did not answer for ${id}` })
        ofTap[row] = { outputs: read, logits: answered, target: settled(of, answered.data) }
      }
    context.progress((done + 1) / questions.length)
  }
  return found
}

/**
 * The means of readings' attributions over variations of the input: with noisy rows that is SmoothGrad (Smilkov et al. 2017,
 * 1706.03825, equation 2) of any gradient method, at any number of layers. Summed row by row in double precision, so that it
 * does not depend on the batches.
 * @param readings all of one target, which is settled: left to the model, each row would have its own class
 */
export async function averagedOverRows<Name extends string>(
  context: Omit<Explaining, 'target'>,
  readings: Readonly<Record<Name, Reading>>,
  rows: MadeRows,
  perQuestion: number,
): Promise<Readonly<Record<Name, FloatTensor>>> {
  const { place, at, shared, total } = rows
  const all = Object.entries<Reading>(readings)
  const [target] = all.map(([, reading]) => reading.target)
  if (target === undefined) throw new RangeError('nothing to read')
  const means = new Map<string, Mean>()
  for (const batch of batchesOf({ total, perQuestion })) {
    const { outputs } = await readRows(context, Object.fromEntries(all), {
      targets: Array.from({ length: batch.count }, () => target),
      feeds: rows.feeds?.(batch.count) ?? {},
      made: { inputs: { [place]: at }, shared, perRow: rows.perRow(batch) },
    })
    for (const [name, reading] of all)
      for (const one of outputs[name] ?? []) {
        const attribution = reading.attribution(one)
        const mean = means.get(name) ?? new Mean(attribution.dims)
        means.set(name, mean)
        mean.add(attribution.data)
      }
    context.progress((batch.first + batch.count) / total)
  }
  return Object.fromEntries([...means].map(([name, mean]) => [name, mean.value(total)])) as Record<Name, FloatTensor>
}

class Mean {
  readonly #dims: readonly number[]
  readonly #sum: Float64Array

  constructor(dims: readonly number[]) {
    this.#dims = dims
    this.#sum = new Float64Array(sizeOf(dims))
  }
  add(values: Float32Array): void {
    for (let at = 0; at < this.#sum.length; at += 1) this.#sum[at] = (this.#sum[at] ?? 0) + (values[at] ?? Number.NaN)
  }
  value(count: number): FloatTensor {
    return float32(
      Float32Array.from(this.#sum, (one) => one / count),
      this.#dims,
    )
  }
}
