/**
 * The word embedding of a text and gradients at it. Position and segment embeddings are added behind this tap, so they
 * stay what they are while words change.
 * Letters: B points asked at once, T tokens, E embedding size, K classes.
 */
import { z } from 'zod'
import { gradient, type Formula } from '../../../engine/formula.ts'
import type { Formulas } from '../../../engine/model.ts'
import { AppError } from '../../../errors.ts'
import { asFloat, float32, int64, type FloatTensor, type Tensor } from '../../../tensor/tensor.ts'
import type { TextContext } from '../../method.ts'

/** The number that is explained. */
export const scalarParam = z
  .enum(['logit', 'margin'])
  .default('logit')
  .meta({
    title: 'Explained number',
    description:
      'logit: the score of the class before the softmax. margin: that score less the mean of the other classes\u2019 ' +
      '(for two classes their difference, the log-odds).',
  })
export type Scalar = z.infer<typeof scalarParam>

export interface Embedded {
  /** [T, E], rows of the word embedding. */
  readonly embedding: FloatTensor
  /** [K] */
  readonly logits: FloatTensor
}

/** d scalar / d logits for each of `rows` rows: [B, K]. */
export function cotangent(target: number, scalar: Scalar, classes: number, rows: number): FloatTensor {
  if (!Number.isInteger(target) || target < 0 || target >= classes)
    throw new AppError({ code: 'UNKNOWN_LABEL', message: `class ${target} of a model with ${classes} classes` })
  const weights = new Float32Array(rows * classes)
  for (let row = 0; row < rows; row += 1)
    for (let label = 0; label < classes; label += 1)
      weights[row * classes + label] =
        label === target ? 1 : scalar === 'margin' && classes > 1 ? -1 / (classes - 1) : 0
  return float32(weights, [rows, classes])
}

/** The scalar of one row of logits, [K]. */
export function scalarOf(logits: ArrayLike<number>, target: number, scalar: Scalar): number {
  const weights = cotangent(target, scalar, logits.length, 1).data
  let sum = 0
  for (let label = 0; label < logits.length; label += 1) sum += (weights[label] ?? 0) * (logits[label] ?? 0)
  return sum
}

/** One forward pass. */
export async function embed(context: TextContext): Promise<Embedded> {
  const { model, feeds, signal } = context
  throwIfAborted(signal)
  const { values } = await model.ask({ feeds, read: [model.defaultTap, model.logits] }, signal)
  return { embedding: withoutBatch(values, model.defaultTap), logits: withoutBatch(values, model.logits) }
}

/** The embedding of the text with other ids in the same places, [T, E]: only the look-up is computed. */
export async function embedIds(context: TextContext, ids: readonly number[]): Promise<FloatTensor> {
  const { model, feeds, signal } = context
  throwIfAborted(signal)
  const name = idsName(context)
  const replaced = { ...feeds, [name]: int64(ids, [1, ids.length]) }
  const { values } = await model.ask({ feeds: replaced, read: [model.defaultTap] }, signal)
  return withoutBatch(values, model.defaultTap)
}

export interface Gradients extends Embedded {
  /** [T, E] */
  readonly gradient: FloatTensor
}

/** The gradient of the scalar at the text itself, with one forward and one backward pass. */
export async function gradientAtText(context: TextContext, scalar: Scalar): Promise<Gradients> {
  const { model, feeds, signal, target } = context
  throwIfAborted(signal)
  const of = { [model.logits]: cotangent(target.index, scalar, classesOf(context), 1) }
  const question = { feeds, read: [model.defaultTap, model.logits], gradient: { of, wrt: [model.defaultTap] } }
  const { values, gradients } = await model.ask(question, signal)
  return {
    embedding: withoutBatch(values, model.defaultTap),
    logits: withoutBatch(values, model.logits),
    gradient: withoutBatch(gradients, model.defaultTap),
  }
}

/** Points that are computed with the gradients there. */
export interface ComputedPoints extends Pick<Formulas, 'shared' | 'perRow'> {
  /** The embedding [B, T, E], of given tensors. */
  readonly at: Formula
  /** What to compute of the gradient [B, T, E] there. */
  compute(gradient: Formula): Formula
}

/** Scalars [B] at `rows` points, and what is computed of their gradients, in one question. */
export async function gradientsAt(
  context: TextContext,
  rows: number,
  scalar: Scalar,
  { shared = {}, perRow = {}, at, compute }: ComputedPoints,
): Promise<{ readonly scalars: readonly number[]; readonly computed: FloatTensor }> {
  const { model, signal, target } = context
  throwIfAborted(signal)
  const of = { [model.logits]: cotangent(target.index, scalar, classesOf(context), rows) }
  const { values, computed } = await model.ask(
    {
      feeds: repeatRows(context.feeds, rows),
      read: [model.logits],
      gradient: { of, wrt: [] },
      formulas: {
        shared,
        perRow,
        inputs: { [model.defaultTap]: at },
        outputs: { [COMPUTED]: compute(gradient(model.defaultTap)) },
      },
    },
    signal,
  )
  return {
    scalars: scalarsOf(found(values, model.logits), target.index, scalar),
    computed: found(computed, COMPUTED),
  }
}

const COMPUTED = 'of the gradient'

/** Scalars [B] where the embedding is replaced by `points` [B, T, E]. */
export async function scalarsAt(context: TextContext, points: FloatTensor, scalar: Scalar): Promise<readonly number[]> {
  const { model, signal, target } = context
  throwIfAborted(signal)
  const [rows = 0] = points.dims
  const question = {
    feeds: repeatRows(context.feeds, rows),
    from: { [model.defaultTap]: points },
    read: [model.logits],
  }
  const { values } = await model.ask(question, signal)
  return scalarsOf(found(values, model.logits), target.index, scalar)
}

/** @throws AppError CANCELLED */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new AppError({ code: 'CANCELLED', message: 'The run was cancelled.' })
}

/**
 * Points to ask at once. Measured on the bundled model and two cores, CPU time a point falls by 40 % from 1 to 4 points
 * at 32 tokens, by 12 % at 128, and no further; small batches also report and stop sooner.
 */
export function batchSize(tokens: number): number {
  return Math.max(1, Math.min(8, Math.floor(512 / tokens)))
}

function scalarsOf(logits: FloatTensor, target: number, scalar: Scalar): readonly number[] {
  const [rows = 0, classes = 0] = logits.dims // [B, K]
  return Array.from({ length: rows }, (_, row) =>
    scalarOf(logits.data.subarray(row * classes, (row + 1) * classes), target, scalar),
  )
}

function classesOf({ model }: TextContext): number {
  const shape = model.taps.find((tap) => tap.id === model.logits)?.shape
  const classes = shape?.at(-1)
  if (typeof classes === 'number') return classes
  throw new AppError({ code: 'BAD_MODEL', message: `${model.logits}: the number of classes is not known` })
}

/** The input that holds the token ids: the one whose values are the ids. */
function idsName({ feeds, tokenIds }: TextContext): string {
  const name = Object.entries(feeds).find(
    ([, { data }]) => data.length === tokenIds.length && tokenIds.every((id, index) => Number(data[index]) === id),
  )?.[0]
  if (name !== undefined) return name
  throw new AppError({ code: 'BAD_MODEL', message: 'no input of the model holds the token ids' })
}

/** Each feed [1, ...] as [B, ...]. */
function repeatRows(feeds: Readonly<Record<string, Tensor>>, rows: number): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => {
      if (tensor.dims[0] !== 1)
        throw new AppError({
          code: 'BAD_INPUT',
          message: `${name}: expected one text, found shape [${tensor.dims.join()}]`,
        })
      const length = tensor.data.length
      const data = tensor.data.constructor as unknown as new (length: number) => typeof tensor.data
      const repeated = new data(length * rows)
      for (let row = 0; row < rows; row += 1)
        (repeated as BigInt64Array).set(tensor.data as BigInt64Array, row * length)
      return [name, { ...tensor, dims: [rows, ...tensor.dims.slice(1)], data: repeated }]
    }),
  )
}

function found(tensors: Readonly<Record<string, FloatTensor>>, tap: string): FloatTensor {
  const tensor = tensors[tap]
  if (tensor === undefined) throw new AppError({ code: 'INTERNAL', message: `the model did not answer for ${tap}` })
  return asFloat(tensor, tap)
}

/** [1, ...] as [...]. */
function withoutBatch(tensors: Readonly<Record<string, FloatTensor>>, tap: string): FloatTensor {
  const { data, dims } = found(tensors, tap)
  return float32(data, dims.slice(1))
}
