/**
 * The word embedding of a text and gradients at it. Position and segment embeddings are added behind this tap, so they
 * stay what they are while words change.
 * Letters: B points asked at once, T tokens, E embedding size, K classes.
 */
import { AppError, throwIfCancelled } from '../../../errors.ts'
import { scalarOf } from '../../../target/scalar.ts'
import type { Target } from '../../../target/target.ts'
import { asFloat, float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { TextContext } from '../../context.ts'
import { repeated, tapIn } from '../../shared/reading.ts'

export interface Embedded {
  /** [T, E], rows of the word embedding. */
  readonly embedding: FloatTensor
  /** [K] */
  readonly logits: FloatTensor
}

/** One forward pass. */
export async function embed(context: TextContext): Promise<Embedded> {
  const { model, feeds, head, signal } = context
  const { id } = tapIn(context)
  throwIfCancelled(signal)
  const { values } = await model.ask({ feeds, read: [id, head.logits] }, signal)
  return { embedding: withoutBatch(values, id), logits: withoutBatch(values, head.logits) }
}

/** The embedding of the text with other ids in the same places, [T, E]: only the look-up is computed. */
export async function embedIds(context: TextContext, ids: readonly number[]): Promise<FloatTensor> {
  const { model, signal } = context
  const { id } = tapIn(context)
  throwIfCancelled(signal)
  const { values } = await model.ask({ feeds: context.feedsFor([ids]).feeds, read: [id] }, signal)
  return withoutBatch(values, id)
}

/**
 * The scores of the text's own tokens: a model that reads a fixed length is fed padding behind them.
 * @param scores [T] or longer
 */
export function ofTokens({ tokenIds }: TextContext, { data }: FloatTensor): FloatTensor {
  return float32(data.slice(0, tokenIds.length), [tokenIds.length])
}

/** Scalars [B] where the embedding is replaced by `points` [B, T, E]. */
export async function scalarsAt(context: TextContext, points: FloatTensor, target: Target): Promise<readonly number[]> {
  const { model, head, signal } = context
  throwIfCancelled(signal)
  const [rows = 0] = points.dims
  const question = {
    feeds: repeated(context.feeds, rows),
    from: { [tapIn(context).id]: points },
    read: [head.logits],
  }
  const { values } = await model.ask(question, signal)
  return scalarsOf(context, found(values, head.logits), target)
}

/**
 * Points to ask at once. Measured on the bundled model and two cores, CPU time a point falls by 40 % from 1 to 4 points
 * at 32 tokens, by 12 % at 128, and no further; small batches also report and stop sooner.
 */
export function batchSize(tokens: number): number {
  return Math.max(1, Math.min(8, Math.floor(512 / tokens)))
}

function scalarsOf({ head }: TextContext, logits: FloatTensor, target: Target): readonly number[] {
  const [rows = 0, classes = 0] = logits.dims // [B, K]
  return Array.from({ length: rows }, (_, row) =>
    scalarOf(target, logits.data.subarray(row * classes, (row + 1) * classes), head.link),
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
