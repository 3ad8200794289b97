/** Small linear algebra in double precision. Letters: N samples, D features. */
import { CholeskyDecomposition, EigenvalueDecomposition, Matrix, solve } from 'ml-matrix'
import { randomStream } from './random.ts'

export interface PrincipalComponent {
  /** Of unit length, [D]; its sign is arbitrary: the caller orients it. */
  readonly direction: readonly number[]
  /** Each sample, centred where asked, along the direction, [N]. */
  readonly projections: readonly number[]
  /** Of the whole variance, 0..1; 0 where all samples are the same. */
  readonly share: number
}

/**
 * The direction in which samples vary most.
 * @param samples [N, D], row by row
 * @param centre whether their mean is taken away first; else the direction is that in which they are largest
 */
export function firstPrincipalComponent(
  samples: ArrayLike<number>,
  features: number,
  centre = true,
): PrincipalComponent {
  const count = samples.length / features
  const values = Float64Array.from(samples)
  const before = dot(values, values)
  const at = (sample: number, feature: number): number => values[sample * features + feature] as number
  if (centre)
    for (let feature = 0; feature < features; feature++) {
      let mean = 0
      for (let sample = 0; sample < count; sample++) mean += at(sample, feature) / count
      for (let sample = 0; sample < count; sample++) values[sample * features + feature] = at(sample, feature) - mean
    }
  const total = dot(values, values)
  // What is left of samples that are all the same is rounding.
  if (!(total > ROUNDING * before)) values.fill(0)
  /** X v, [N] */
  const along = (direction: Float64Array): Float64Array =>
    Float64Array.from({ length: count }, (_, sample) =>
      dot(values.subarray(sample * features, (sample + 1) * features), direction),
    )
  /** X' u, [D] */
  const across = (weights: Float64Array): Float64Array => {
    const sum = new Float64Array(features)
    for (let sample = 0; sample < count; sample++)
      addTo(sum, weights[sample] as number, values.subarray(sample * features, (sample + 1) * features))
    return sum
  }
  // The smaller of the two products of the samples with themselves has the same largest eigenvalue.
  const wide = features > count
  const { value, vector } = largestEigenpair(
    wide ? (one) => along(across(one)) : (one) => across(along(one)),
    Math.min(count, features),
  )
  const direction = wide ? across(vector) : vector
  const length = Math.sqrt(dot(direction, direction))
  const unit = length > 0 ? direction.map((one) => one / length) : direction
  return {
    direction: [...unit],
    projections: [...along(unit)],
    share: total > ROUNDING * before ? Math.min(1, Math.max(0, value) / total) : 0,
  }
}

/** Of a sum of squares. */
const ROUNDING = 1e-24

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number)
  return sum
}

/** sum += factor * values */
function addTo(sum: Float64Array, factor: number, values: Float64Array): void {
  for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] as number) + factor * (values[at] as number)
}

const MOST_STEPS = 400
const STEPS_BETWEEN_LOOKS = 8
const RESIDUAL = 1e-13

/**
 * The largest eigenvalue of a symmetric matrix without negative ones, and its vector: Lanczos' method (Golub and Van Loan, 10.1) with
 * every new vector made orthogonal to all before it. The matrix is known by its products alone.
 * @param size of the matrix
 */
function largestEigenpair(
  multiply: (vector: Float64Array) => Float64Array,
  size: number,
): { readonly value: number; readonly vector: Float64Array } {
  const { normal } = randomStream(0, 'Lanczos')
  let next: Float64Array = Float64Array.from({ length: size }, normal)
  let length = Math.sqrt(dot(next, next))
  const basis: Float64Array[] = []
  const [diagonal, beside]: [number[], number[]] = [[], []]
  for (;;) {
    const scale = length
    const own = next.map((one) => one / scale)
    basis.push(own)
    next = multiply(own)
    diagonal.push(dot(own, next))
    // Once more for what the first time leaves to rounding.
    for (let turn = 0; turn < 2; turn++) for (const one of basis) addTo(next, -dot(one, next), one)
    length = Math.sqrt(dot(next, next))
    const steps = basis.length
    const over = steps >= Math.min(size, MOST_STEPS) || !(length > Number.MIN_VALUE)
    if (over || steps % STEPS_BETWEEN_LOOKS === 0) {
      const inner = Matrix.zeros(steps, steps)
      diagonal.forEach((one, at) => inner.set(at, at, one))
      beside.forEach((one, at) => inner.set(at, at + 1, one).set(at + 1, at, one))
      const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(inner, { assumeSymmetric: true })
      const value = Math.max(...realEigenvalues)
      const weights = eigenvectorMatrix.getColumn(realEigenvalues.indexOf(value))
      if (over || length * Math.abs(weights.at(-1) ?? 0) <= RESIDUAL * value) {
        const vector = new Float64Array(size)
        basis.forEach((one, at) => addTo(vector, weights[at] ?? 0, one))
        return { value, vector }
      }
    }
    beside.push(length)
  }
}

export interface Samples {
  /** [N, D], row by row. */
  readonly features: ArrayLike<number>
  /** [N] */
  readonly targets: ArrayLike<number>
  /** [N], none negative; all 1 where left out. */
  readonly weights?: ArrayLike<number>
}

export interface LinearFit {
  /** [D] */
  readonly coefficients: readonly number[]
  readonly intercept: number
}

/** Sums over samples, once their weighted means are taken away: X'WX [D, D], X'Wy [D, 1]. */
interface Moments {
  readonly square: Matrix
  readonly cross: Matrix
  readonly means: readonly number[]
  readonly targetMean: number
  readonly weight: number
}

function momentsOf({ features, targets, weights }: Samples, centred: boolean): Moments {
  const count = targets.length
  const size = features.length / count
  if (count === 0 || !Number.isInteger(size))
    throw new RangeError(`${features.length} features are no rows for ${count} targets`)
  const weightOf = (sample: number): number => (weights === undefined ? 1 : (weights[sample] as number))
  const weight = Array.from({ length: count }, (_, sample) => weightOf(sample)).reduce((sum, one) => sum + one, 0)
  if (!(weight > 0)) throw new RangeError('no sample has a positive weight')
  const mean = (value: (sample: number) => number): number => {
    let sum = 0
    for (let sample = 0; sample < count; sample++) sum += weightOf(sample) * value(sample)
    return centred ? sum / weight : 0
  }
  const means = Array.from({ length: size }, (_, d) => mean((sample) => features[sample * size + d] as number))
  const targetMean = mean((sample) => targets[sample] as number)
  // Sample by sample, half of a symmetric matrix: a quarter of the time of a product of two matrices.
  const square = new Float64Array(size * size)
  const cross = new Float64Array(size)
  const apart = new Float64Array(size)
  for (let sample = 0; sample < count; sample++) {
    for (let d = 0; d < size; d++) apart[d] = (features[sample * size + d] as number) - (means[d] as number)
    for (let d = 0; d < size; d++) {
      const weighed = weightOf(sample) * (apart[d] as number)
      if (weighed === 0) continue
      cross[d] = (cross[d] as number) + weighed * ((targets[sample] as number) - targetMean)
      for (let other = d; other < size; other++)
        square[d * size + other] = (square[d * size + other] as number) + weighed * (apart[other] as number)
    }
  }
  for (let d = 0; d < size; d++)
    for (let other = 0; other < d; other++) square[d * size + other] = square[other * size + d] as number
  return { square: matrixOf(square, size), cross: matrixOf(cross, 1), means, targetMean, weight }
}

function fitOf(coefficients: readonly number[], { means, targetMean }: Moments): LinearFit {
  return { coefficients, intercept: coefficients.reduce((sum, one, d) => sum - one * (means[d] ?? 0), targetMean) }
}

/**
 * Least squares with an intercept that is not penalised: min sum_n w_n (y_n - a - <b, x_n>)^2 + ridge |b|^2, as LIME has it.
 * Where several b are as good, the shortest one.
 */
export function ridgeRegression(samples: Samples, ridge = 0): LinearFit {
  const moments = momentsOf(samples, true)
  const square = moments.square.clone().add(Matrix.eye(moments.square.rows).mul(ridge))
  return fitOf(shortestSolution(square, moments.cross), moments)
}

/** Of a symmetric system without negative eigenvalues: where several solutions are as good, the shortest one. */
function shortestSolution(square: Matrix, right: Matrix): readonly number[] {
  const cholesky = new CholeskyDecomposition(square)
  // A matrix may be called positive definite by a rounding error: its smallest pivot tells.
  const pivots = cholesky.lowerTriangularMatrix.diagonal()
  const sound = cholesky.isPositiveDefinite() && Math.min(...pivots) > RELATIVE_PIVOT * Math.max(...pivots)
  return (sound ? cholesky.solve(right) : solve(square, right, true)).to1DArray()
}

const RELATIVE_PIVOT = 1e-7

/**
 * Least squares whose coefficients add up to `total`, without an intercept: KernelSHAP's regression (Lundberg and Lee 2017,
 * theorem 2), where samples are coalitions and targets v(S) - v(nobody).
 */
export function regressionWithSum(samples: Samples, total: number): readonly number[] {
  const { square, cross } = momentsOf(samples, false)
  const size = square.rows
  const even = total / size
  // What is left to find is how far each lies from the even share, which adds up to 0: along (1, ..., 1) nothing is asked.
  const apart = cross.clone().sub(square.mmul(Matrix.ones(size, 1)).mul(even))
  const inside = square.clone().subRowVector(square.mean('column')).subColumnVector(square.mean('row'))
  inside.add(square.mean())
  const scale = Math.max(square.trace() / size, Number.MIN_VALUE)
  const found = shortestSolution(inside.add(scale / size), apart.sub(apart.mean()))
  return found.map((one) => one + even)
}

/**
 * Lasso with an intercept: min 1 / (2 sum w) sum_n w_n (y_n - a - <b, x_n>)^2 + penalty |b|_1, scaled as scikit-learn's, by
 * coordinate descent (Friedman et al. 2010, equation 10).
 */
export function lassoRegression(samples: Samples, penalty: number): LinearFit {
  const moments = momentsOf(samples, true)
  const size = moments.square.rows
  const square = moments.square.clone().div(moments.weight)
  const cross = moments.cross.clone().div(moments.weight).to1DArray()
  const coefficients = new Array<number>(size).fill(0)
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let change = 0
    let largest = 0
    for (let d = 0; d < size; d++) {
      const own = square.get(d, d)
      const before = coefficients[d] ?? 0
      let residual = (cross[d] ?? 0) + own * before
      for (let other = 0; other < size; other++) residual -= square.get(d, other) * (coefficients[other] ?? 0)
      const shrunk = Math.sign(residual) * Math.max(0, Math.abs(residual) - penalty)
      const now = own > 0 && shrunk !== 0 ? shrunk / own : 0
      coefficients[d] = now
      change = Math.max(change, Math.abs(now - before))
      largest = Math.max(largest, Math.abs(now))
    }
    if (change <= CONVERGED * largest) break
  }
  return fitOf(coefficients, moments)
}

const MOST_SWEEPS = 10_000
const CONVERGED = 1e-10

function matrixOf(values: ArrayLike<number>, columns: number): Matrix {
  return Matrix.from1DArray(values.length / columns, columns, Array.from(values))
}
