/** Points of a path to an input: the straight one between two inputs (Sundararajan et al. 2017, equation 1). */
import { add, given, multiply, type Formula } from '../../engine/formula.ts'
import { float32, type FloatTensor } from '../../tensor/tensor.ts'

export interface Path {
  readonly shared: Readonly<Record<string, FloatTensor>>
  /** The points, [N, ...]. */
  readonly at: Formula
  /** Their derivative by the share of the way, [1, ...] or [N, ...]: of a straight path from its baseline to the input. */
  readonly way: Formula
  /** Shares of the way, one a row. */
  readonly perRow: (alphas: readonly number[]) => Readonly<Record<string, FloatTensor>>
}

/**
 * @param input [1, ...]
 * @param baseline of the same shape; null for zeros
 */
export function straightPath(input: FloatTensor, baseline: FloatTensor | null): Path {
  const ones = input.dims.slice(1).map(() => 1)
  const perRow = (alphas: readonly number[]) => ({ alpha: float32(alphas, [alphas.length, ...ones]) })
  const way = given('way')
  const along = multiply(given('alpha'), way)
  if (baseline === null) return { shared: { way: input }, at: along, way, perRow }
  const difference = input.data.map((value, index) => value - (baseline.data[index] as number))
  return {
    shared: { baseline, way: float32(difference, input.dims) },
    at: add(given('baseline'), along),
    way,
    perRow,
  }
}
