/**
 * Attention of all layers in one question, and the flow of it back from where the model reads its answer to the tokens.
 * Letters: N rows, L layers, H heads, T tokens.
 */
import { abs, gradient, sum, type Formula } from '../../../engine/formula.ts'
import { AppError } from '../../../errors.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { Target } from '../../../target/target.ts'
import { z } from 'zod'
import type { TextContext } from '../../context.ts'
import type { Diagnosis } from '../../diagnosis.ts'
import type { NeedsPlace } from '../../need.ts'
import { layersFor } from '../../place.ts'
import { answered } from '../../shared/batches.ts'
import { readOnce, type ReadOnce } from '../../shared/reading.ts'

/** Where the flow is read. */
export const tokenParam = z.enum(['auto', 'first', 'last', 'mean']).default('auto').meta({
  title: 'Classifying token',
  description:
    'Whose attention is followed back. auto: of the tokens that the answer is read at, as the gradient tells. first: [CLS]. last: of decoders. mean: of all tokens.',
})
type Token = z.infer<typeof tokenParam>

export interface Attention extends Pick<ReadOnce, 'logits' | 'target'> {
  /** What was made of the heads of each layer, [T, T], from the first to the last; padding left out. */
  readonly layers: readonly FloatTensor[]
  /** Where the answer is read: their rows are averaged. */
  readonly rows: readonly number[]
}

const ROWS = 'rows that reach the answer'

/**
 * @param fuse what is made of a layer's attention [N, H, T, T] and its gradient: [N, 1, T, T]
 * @throws AppError as `readOnce`
 */
export async function readAttention(
  method: NeedsPlace,
  context: TextContext,
  { target, token, fuse }: { target: Target; token: Token; fuse: (tap: string) => Formula },
): Promise<Attention> {
  const taps = layersFor(method, context.facts).map(({ id }) => id)
  const last = taps.at(-1) ?? ''
  const { outputs, logits, ...read } = await readOnce(context, {
    target,
    outputs: {
      ...Object.fromEntries(taps.map((tap) => [tap, fuse(tap)])),
      [ROWS]: sum(abs(gradient(last)), [1, 3]), // [N, 1, T, 1]
    },
    attribution: (each) => answered(each, last),
  })
  const tokens = context.feeds[context.roles.ids]?.dims[1] ?? 0
  const layers = taps.map((tap) => squareOf(answered(outputs, tap), tokens, context.tokenIds.length))
  const reached = answered(outputs, ROWS).data
  return { layers, rows: rowsOf(context, token, reached), logits, target: read.target }
}

/** [1, T, T] of a model that may read padding -> [t, t] of the text's own tokens. */
function squareOf({ data, dims }: FloatTensor, tokens: number, own: number): FloatTensor {
  if (dims.join() !== `1,${tokens},${tokens}`)
    throw new AppError({ code: 'INTERNAL', message: `attention of [${dims.join(', ')}] among ${tokens} tokens` })
  const kept = new Float32Array(own * own)
  for (let row = 0; row < own; row += 1) kept.set(data.subarray(row * tokens, row * tokens + own), row * own)
  return float32(kept, [own, own])
}

/** @param reached [T], not 0 where the last layer's queries reach the answer */
function rowsOf({ tokenIds }: TextContext, token: Token, reached: Float32Array): readonly number[] {
  const all = Array.from(tokenIds.keys())
  if (token === 'mean') return all
  if (token === 'last') return all.slice(-1)
  const found = all.filter((row) => token === 'auto' && reached[row] !== 0)
  return found.length > 0 ? found : all.slice(0, 1)
}

/**
 * The rows' mean of M_L ... M_1, by products with a vector: T² a layer, where the matrices' would be T³.
 * @param step v M of one layer
 * @returns the flow at the start, and what it has become, [T]
 */
export function followed(
  { layers, rows }: Pick<Attention, 'layers' | 'rows'>,
  step: (flow: Float64Array, layer: FloatTensor) => Float64Array,
): { readonly start: Float64Array; readonly flow: Float64Array } {
  const [tokens = 0] = layers[0]?.dims ?? []
  const start = Float64Array.from({ length: tokens }, (_, token) => (rows.includes(token) ? 1 / rows.length : 0))
  return { start, flow: layers.toReversed().reduce(step, start) }
}

/** v M, [T]. @param entry of M's row and column, from the layer's own number there */
export function timesLayer(
  flow: Float64Array,
  { data }: FloatTensor,
  entry: (own: number, row: number, column: number) => number = (own) => own,
): Float64Array {
  const tokens = flow.length
  const result = new Float64Array(tokens)
  flow.forEach((share, row) => {
    if (share === 0) return
    for (let column = 0; column < tokens; column += 1)
      result[column] = (result[column] ?? 0) + share * entry(data[row * tokens + column] ?? Number.NaN, row, column)
  })
  return result
}

/** CLASSIFYING_TOKEN: whose attention the scores are. */
export function classifyingToken({ tokens, tokenIds }: TextContext, rows: readonly number[]): Diagnosis {
  const [first = 0] = rows
  const one = rows.length === 1 ? tokens[first] : undefined
  const place = first === 0 ? 'first' : first === tokenIds.length - 1 ? 'last' : `${first + 1}th`
  const whose = one === undefined ? `the mean of ${rows.length} tokens` : `the ${place} token, \u201c${one.text}\u201d`
  return {
    code: 'CLASSIFYING_TOKEN',
    severity: 'info',
    message: `The attention of ${whose} is followed back through the layers: there the answer is read.`,
  }
}
