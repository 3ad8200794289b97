/** Statistics that metrics share, in double precision. */

/** [low, high] */
export type Interval = readonly [number, number]

export function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let at = 0; at < values.length; at += 1) sum += values[at] ?? Number.NaN
  return sum / values.length
}

/** Unbiased, with n - 1. */
function deviation(values: ArrayLike<number>): number {
  const middle = mean(values)
  let sum = 0
  for (let at = 0; at < values.length; at += 1) sum += ((values[at] ?? Number.NaN) - middle) ** 2
  return Math.sqrt(sum / (values.length - 1))
}

/** Student's t at 97.5 %, for 1 to 30 degrees of freedom. */
const STUDENT = [
  12.7062047, 4.3026527, 3.1824463, 2.7764451, 2.5705818, 2.4469118, 2.3646243, 2.3060041, 2.2621572, 2.2281389,
  2.2009852, 2.1788128, 2.1603687, 2.1447867, 2.1314495, 2.1199053, 2.1098156, 2.100922, 2.0930241, 2.0859634,
  2.0796138, 2.0738731, 2.0686576, 2.0638986, 2.0595386, 2.0555294, 2.0518305, 2.0484071, 2.0452296, 2.0422725,
]
const NORMAL = 1.959963985

function studentAt(freedom: number): number {
  const z = NORMAL
  // Beyond the table: Cornish and Fisher's expansion, right to 1e-6 there.
  return (
    STUDENT[freedom - 1] ??
    z +
      (z ** 3 + z) / (4 * freedom) +
      (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2) +
      (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3)
  )
}

/** 95 % interval of the mean of independent draws, by Student's t; null for fewer than two. */
export function meanInterval(values: readonly number[]): Interval | null {
  if (values.length < 2) return null
  const middle = mean(values)
  const reach = (studentAt(values.length - 1) * deviation(values)) / Math.sqrt(values.length)
  return [middle - reach, middle + reach]
}

/** Pearson's correlation; null where one of them does not vary. */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  const [middleA, middleB] = [mean(a), mean(b)]
  let [product, squaresA, squaresB] = [0, 0, 0]
  for (let at = 0; at < a.length; at += 1) {
    const x = (a[at] ?? Number.NaN) - middleA
    const y = (b[at] ?? Number.NaN) - middleB
    product += x * y
    squaresA += x * x
    squaresB += y * y
  }
  // What rounding leaves of equal numbers is no variation.
  const varies = (squares: number, middle: number): boolean => squares > a.length * (1e-12 * Math.abs(middle)) ** 2
  if (!varies(squaresA, middleA) || !varies(squaresB, middleB)) return null
  return Math.max(-1, Math.min(1, product / Math.sqrt(squaresA * squaresB)))
}

/** 95 % interval of a correlation of n independent pairs, by Fisher's transformation; null for fewer than four. */
export function correlationInterval(correlation: number, pairs: number): Interval | null {
  if (pairs < 4) return null
  const reach = NORMAL / Math.sqrt(pairs - 3)
  const z = Math.atanh(correlation)
  return [Math.tanh(z - reach), Math.tanh(z + reach)]
}

/** Ranks from 1, equal values sharing the mean of theirs. */
export function ranksOf(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, at) => at)
  order.sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b)
  const ranks = new Float64Array(values.length)
  for (let first = 0; first < order.length;) {
    let last = first
    while (last + 1 < order.length && values[order[last + 1] ?? -1] === values[order[first] ?? -1]) last += 1
    for (let at = first; at <= last; at += 1) ranks[order[at] ?? -1] = (first + last) / 2 + 1
    first = last + 1
  }
  return ranks
}

/** Spearman's rank correlation; null where one of them does not vary. */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  return pearson(ranksOf(a), ranksOf(b))
}

/**
 * Kendall's tau-b (Kendall 1945), as SciPy's `kendalltau` has it: ties count for neither. Quadratic in the length.
 * @returns null where one of them does not vary
 */
export function kendallTau(a: readonly number[], b: readonly number[]): number | null {
  let [agree, tiedA, tiedB] = [0, 0, 0]
  for (let i = 0; i < a.length; i += 1)
    for (let j = 0; j < i; j += 1) {
      const x = Math.sign((a[i] ?? Number.NaN) - (a[j] ?? Number.NaN))
      const y = Math.sign((b[i] ?? Number.NaN) - (b[j] ?? Number.NaN))
      agree += x * y
      if (x === 0) tiedA += 1
      if (y === 0) tiedB += 1
    }
  const pairs = (a.length * (a.length - 1)) / 2
  if (tiedA === pairs || tiedB === pairs) return null
  return agree / Math.sqrt((pairs - tiedA) * (pairs - tiedB))
}

/** Area under a curve over equally spaced points of 0..1, by the trapezoid rule. */
export function areaUnder(values: readonly number[]): number {
  const [first = Number.NaN] = values
  const last = values.at(-1) ?? Number.NaN
  if (values.length < 2) return first
  return (values.reduce((sum, value) => sum + value, 0) - (first + last) / 2) / (values.length - 1)
}
