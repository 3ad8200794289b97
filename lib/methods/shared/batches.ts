/**
 * Many rows asked of a model a batch at a time: each batch is made when it is its turn, asked alone, and gone when its
 * answer is taken, so that thousands of masks need the memory of one batch.
 */
import { AppError, throwIfCancelled } from '../../errors.ts'
import type { Answer, ExplainableModel, Question, TapId } from '../../engine/model.ts'
import { sizeOf } from '../../tensor/tensor.ts'

/** Rows `first` to `first + count - 1` of all. */
export interface Batch {
  readonly first: number
  readonly count: number
}

/** Who asks: a method's context is one. */
export interface Asking {
  readonly model: ExplainableModel
  readonly signal: AbortSignal
  /** Share done, 0..1. */
  readonly progress: (fraction: number) => void
}

export interface Rows {
  /** Rows in all. */
  readonly total: number
  /** Rows a question at most. */
  readonly perQuestion: number
}

/** The batches of so many rows, in order; the last one may be smaller. */
export function batchesOf({ total, perQuestion }: Rows): readonly Batch[] {
  if (!Number.isInteger(perQuestion) || perQuestion < 1)
    throw new RangeError(`a question needs one row at least, found ${perQuestion}`)
  return Array.from({ length: Math.ceil(total / perQuestion) }, (_, index) => {
    const first = index * perQuestion
    return { first, count: Math.min(perQuestion, total - first) }
  })
}

/**
 * Asks a question for each batch and hands over its answer; the next one is asked when the caller comes back for it.
 * Progress is reported behind each batch, as a share of all rows.
 * @throws AppError CANCELLED before a batch and behind it; whatever the model throws
 */
export async function* answersInBatches(
  { model, signal, progress }: Asking,
  rows: Rows,
  question: (batch: Batch) => Question,
): AsyncGenerator<Batch & { readonly answer: Answer }, void, undefined> {
  for (const batch of batchesOf(rows)) {
    throwIfCancelled(signal)
    const answer = await model.ask(question(batch), signal)
    throwIfCancelled(signal)
    yield { ...batch, answer }
    progress((batch.first + batch.count) / rows.total)
  }
}

export interface Memory {
  /** What a batch may take. */
  readonly bytes: number
  /** More rows than this at once are no faster. */
  readonly mostRows: number
  /** Where the run starts, if taps are replaced. */
  readonly from?: TapId
  /** A way back keeps every value of the way forward; without one few are held at a time. */
  readonly gradient: boolean
  /** For extents that depend on the input: tokens of a text, the sides of a picture. */
  readonly openExtent?: number
}

/** Values held at a time on a way forward: what an operator reads, writes, and what another branch waits for. */
const HELD = 3
const FLOAT_BYTES = 4
/** The gradient of each value lies beside it. */
const AND_GRADIENT = 2

/** What one row takes in a run, roughly: from the shapes of the model's taps. */
export function bytesPerRow(
  model: ExplainableModel,
  { from, gradient, openExtent = 1 }: Omit<Memory, 'bytes' | 'mostRows'>,
): number {
  const start = Math.max(0, from === undefined ? 0 : model.taps.findIndex((tap) => tap.id === from))
  const sizes = model.taps.slice(start).map(({ shape }) => sizeOf(shape.slice(1).map((dim) => dim ?? openExtent)))
  const values = gradient
    ? AND_GRADIENT * sizes.reduce((total, size) => total + size, 0)
    : HELD * sizes.reduce((most, size) => Math.max(most, size), 0)
  return FLOAT_BYTES * values
}

/** Rows a question: as many as fit the memory, one at least. */
export function rowsWithin(model: ExplainableModel, memory: Memory): number {
  const fitting = Math.floor(memory.bytes / Math.max(1, bytesPerRow(model, memory)))
  return Math.max(1, Math.min(memory.mostRows, fitting))
}

/** A tensor of an answer. @throws AppError INTERNAL where the engine left it out. */
export function answered<T>(tensors: Readonly<Record<string, T>>, name: string): T {
  const tensor = tensors[name]
  if (tensor === undefined) throw new AppError({ code: 'INTERNAL', message: `the engine did not answer for ${name}` })
  return tensor
}
