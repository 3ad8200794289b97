/**
 * The integral along the straight path from a baseline to a text, one token score a point. Only T numbers a point are
 * kept (the gradient times the way, summed over the embedding), so any number of points fits in memory.
 * Letters: B points asked at once, T tokens, E embedding size.
 */
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { TextContext } from '../../method.ts'
import { batchSize, gradientsAt, type Scalar } from './embedding.ts'

export interface PathPoint {
  /** The scalar there. */
  readonly scalar: number
  /** <gradient there, embedding - baseline> per token, [T]. */
  readonly contributions: Float64Array
}

/** Evaluates the points baseline + alpha * (embedding - baseline), in batches; `done` hears of each batch. */
export async function pathPoints(
  context: TextContext,
  ends: { readonly baseline: FloatTensor; readonly embedding: FloatTensor },
  alphas: readonly number[],
  scalar: Scalar,
  done: (points: number) => void,
): Promise<readonly PathPoint[]> {
  const [tokens = 0, size = 0] = ends.embedding.dims
  const { data: input } = ends.embedding
  const { data: base } = ends.baseline
  const way = new Float64Array(input.length)
  for (let index = 0; index < way.length; index += 1) way[index] = (input[index] as number) - (base[index] as number)
  const rows = batchSize(tokens)
  const points: PathPoint[] = []
  for (let first = 0; first < alphas.length; first += rows) {
    const batch = alphas.slice(first, first + rows)
    const embeddings = new Float32Array(batch.length * way.length) // [B, T, E]
    batch.forEach((alpha, row) => {
      for (let index = 0; index < way.length; index += 1)
        embeddings[row * way.length + index] = (base[index] as number) + alpha * (way[index] as number)
    })
    const { scalars, gradients } = await gradientsAt(context, float32(embeddings, [batch.length, tokens, size]), scalar)
    batch.forEach((_, row) => {
      const contributions = new Float64Array(tokens)
      for (let token = 0; token < tokens; token += 1) {
        let sum = 0
        for (let index = token * size; index < (token + 1) * size; index += 1)
          sum += (gradients.data[row * way.length + index] as number) * (way[index] as number)
        contributions[token] = sum
      }
      points.push({ scalar: scalars[row] ?? Number.NaN, contributions })
    })
    done(batch.length)
  }
  return points
}

/** Weighted sum of the points' contributions, [T]. */
export function integrate(points: readonly PathPoint[], weights: readonly number[], tokens: number): Float64Array {
  const scores = new Float64Array(tokens)
  points.forEach(({ contributions }, point) => {
    for (let token = 0; token < tokens; token += 1)
      scores[token] = (scores[token] ?? 0) + (weights[point] ?? 0) * (contributions[token] ?? 0)
  })
  return scores
}
