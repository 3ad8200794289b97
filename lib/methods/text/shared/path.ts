/**
 * The integral along the straight path from a baseline to a text, one token score a point. Only T numbers a point are
 * kept (the gradient times the way, summed over the embedding), so any number of points fits in memory.
 * Letters: B points asked at once, T tokens, E embedding size.
 */
import { multiply, sum, type Formula } from '../../../engine/formula.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { TextContext } from '../../context.ts'
import { batchesOf } from '../../shared/batches.ts'
import { straightPath } from '../../shared/path-rows.ts'
import type { Target } from '../../../target/target.ts'
import { batchSize, gradientsAt } from './embedding.ts'

export interface PathPoint {
  /** The scalar there. */
  readonly scalar: number
  /** <gradient there, embedding - baseline> per token, or what else was asked for, [T]. */
  readonly contributions: Float64Array
}

/**
 * Evaluates the points baseline + alpha * (embedding - baseline), in batches; `done` hears of each batch.
 * @param each what is summed over the embedding, of the gradient and the way [B, T, E]: their product
 */
export async function pathPoints(
  context: TextContext,
  ends: { readonly baseline: FloatTensor; readonly embedding: FloatTensor },
  alphas: readonly number[],
  target: Target,
  done: (points: number) => void,
  each: (gradient: Formula, way: Formula) => Formula = multiply,
): Promise<readonly PathPoint[]> {
  const { embedding, baseline } = ends
  const [tokens = 0] = embedding.dims
  const path = straightPath(asRow(embedding), asRow(baseline))
  const points: PathPoint[] = []
  for (const { first, count } of batchesOf({ total: alphas.length, perQuestion: batchSize(tokens) })) {
    const batch = alphas.slice(first, first + count)
    const { scalars, computed } = await gradientsAt(context, count, target, {
      shared: path.shared,
      perRow: path.perRow(batch),
      at: path.at, // [B, T, E]
      compute: (gradient) => sum(each(gradient, path.way), [2]), // [B, T, 1]
    })
    batch.forEach((_, index) => {
      points.push({
        scalar: scalars[index] ?? Number.NaN,
        contributions: Float64Array.from(computed.data.subarray(index * tokens, (index + 1) * tokens)),
      })
    })
    done(count)
  }
  return points
}

const asRow = ({ data, dims }: FloatTensor): FloatTensor => float32(data, [1, ...dims])

/** Weighted sum of the points' contributions, [T]. */
export function integrate(points: readonly PathPoint[], weights: readonly number[], tokens: number): Float64Array {
  const scores = new Float64Array(tokens)
  points.forEach(({ contributions }, point) => {
    for (let token = 0; token < tokens; token += 1)
      scores[token] = (scores[token] ?? 0) + (weights[point] ?? 0) * (contributions[token] ?? 0)
  })
  return scores
}
