/**
 * Non-negative factorisation: samples as sums of few parts, none of which takes away from another.
 *
 * Letters: N samples, D features, R parts; X [N, D] ~ U [N, R] W [R, D], none negative.
 */
import { randomStream } from './random.ts'

export interface Factorisation {
  /** W: each part of unit length, [R][D]. */
  readonly parts: readonly Float64Array[]
  /** U: how much of each part is in each sample, [R][N]. */
  readonly amounts: readonly Float64Array[]
}

const SWEEPS = 300
const CONVERGED = 1e-9

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number)
  return sum
}

/** X v, [N] */
function along(samples: readonly Float64Array[], part: Float64Array): Float64Array {
  return Float64Array.from(samples, (sample) => dot(sample, part))
}

/** X' u, [D] */
function across(samples: readonly Float64Array[], amounts: Float64Array, features: number): Float64Array {
  const sum = new Float64Array(features)
  samples.forEach((sample, n) => {
    const amount = amounts[n] as number
    for (let d = 0; d < features; d++) sum[d] = (sum[d] as number) + amount * (sample[d] as number)
  })
  return sum
}

/**
 * One turn of hierarchical least squares (Cichocki and Phan 2009, equation 13): each row in turn the best one that is not negative,
 * the others fixed. In place.
 * @param rows to improve; @param products of the samples with each of the others' rows; @param gram the products among those
 * @returns the largest change
 */
function improve(
  rows: readonly Float64Array[],
  products: readonly Float64Array[],
  gram: readonly (readonly number[])[],
): number {
  let change = 0
  rows.forEach((row, r) => {
    const own = gram[r]?.[r] ?? 0
    const [wanted, weights] = [products[r], gram[r]]
    if (!(own > 0) || wanted === undefined || weights === undefined) return
    for (let at = 0; at < row.length; at++) {
      let rest = wanted[at] as number
      for (let other = 0; other < rows.length; other++)
        if (other !== r) rest -= (weights[other] as number) * (rows[other]?.[at] ?? 0)
      const next = Math.max(0, rest / own)
      change = Math.max(change, Math.abs(next - (row[at] as number)))
      row[at] = next
    }
  })
  return change
}

const gramOf = (rows: readonly Float64Array[]): readonly (readonly number[])[] =>
  rows.map((one) => rows.map((other) => dot(one, other)))

/** Part r to unit length, its amounts the same times as large: their product stays. */
function rescale(parts: readonly Float64Array[], amounts: readonly Float64Array[]): void {
  parts.forEach((part, r) => {
    const length = Math.sqrt(dot(part, part))
    const own = amounts[r]
    if (!(length > 0) || own === undefined) return
    for (let d = 0; d < part.length; d++) part[d] = (part[d] as number) / length
    for (let n = 0; n < own.length; n++) own[n] = (own[n] as number) * length
  })
}

/**
 * @param samples X, [N][D], none negative
 * @param count R
 * @param seed of the start: another one may find other parts
 */
export function nonNegativeParts(samples: readonly Float64Array[], count: number, seed: number): Factorisation {
  const features = samples[0]?.length ?? 0
  const { uniform } = randomStream(seed, 'factorisation')
  const parts = Array.from({ length: count }, () => Float64Array.from({ length: features }, uniform))
  const amounts = Array.from({ length: count }, () => Float64Array.from({ length: samples.length }, uniform))
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const products = parts.map((part) => along(samples, part))
    const moved = improve(amounts, products, gramOf(parts))
    const turned = amounts.map((own) => across(samples, own, features))
    improve(parts, turned, gramOf(amounts))
    rescale(parts, amounts)
    const largest = amounts.reduce((most, own) => own.reduce((a, b) => Math.max(a, b), most), 0)
    if (moved <= CONVERGED * largest) break
  }
  return { parts, amounts }
}

/** How much of each given part is in each sample, [R][N]: least squares that are not negative. */
export function amountsOf(samples: readonly Float64Array[], parts: readonly Float64Array[]): readonly Float64Array[] {
  const products = parts.map((part) => along(samples, part))
  const gram = gramOf(parts)
  const amounts = parts.map(() => new Float64Array(samples.length))
  for (let sweep = 0; sweep < SWEEPS; sweep++) if (improve(amounts, products, gram) === 0) break
  return amounts
}
