/**
 * Gaussian blur as a matrix along one axis, edges mirrored: rows of weights, so that a blur is two matrix products and has an
 * exact derivative by its width.
 *
 * Letters: n extent of the axis; w(k) ∝ exp(-k² / 2σ²), summing to 1 over |k| ≤ radius.
 */

/** Weights of a Gaussian cut at `radius`, summing to 1; the middle one is at `radius`. */
export function gaussianWeights(sigma: number, radius: number): Float64Array {
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, at) =>
    Math.exp(-((at - radius) ** 2) / (2 * sigma * sigma)),
  )
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}

/** Mirrored about the outer pixels: -1 -> 1, n -> n - 2. */
export function mirrored(at: number, extent: number): number {
  if (extent === 1) return 0
  const period = 2 * (extent - 1)
  const inside = ((at % period) + period) % period
  return inside < extent ? inside : period - inside
}

/** [n, n], row by row: what each place gets of every other. */
function matrixOf(weights: Float64Array, radius: number, extent: number): Float32Array {
  const matrix = new Float64Array(extent * extent)
  for (let place = 0; place < extent; place += 1)
    for (let tap = -radius; tap <= radius; tap += 1) {
      const at = place * extent + mirrored(place + tap, extent)
      matrix[at] = (matrix[at] ?? 0) + (weights[tap + radius] ?? 0)
    }
  return Float32Array.from(matrix)
}

export interface BlurMatrices {
  /** [n, n]; the identity where σ is 0. */
  readonly blur: Float32Array
  /** d blur / dσ, [n, n]: w(k) (k² - mean of k²) / σ³. */
  readonly slope: Float32Array
}

/** Below this width no pixel gets anything of its neighbours in double precision. */
const LEAST = 0.02

/** @param radius where the Gaussian is cut: the same for all widths that are compared, or they differ by a step */
export function blurMatrices(extent: number, sigma: number, radius: number): BlurMatrices {
  if (sigma < LEAST) {
    const identity = gaussianWeights(1, radius).map((_, at) => Number(at === radius))
    return { blur: matrixOf(identity, radius, extent), slope: new Float32Array(extent * extent) }
  }
  const weights = gaussianWeights(sigma, radius)
  const square = weights.reduce((sum, weight, at) => sum + weight * (at - radius) ** 2, 0)
  const slopes = weights.map((weight, at) => (weight * ((at - radius) ** 2 - square)) / sigma ** 3)
  return { blur: matrixOf(weights, radius, extent), slope: matrixOf(slopes, radius, extent) }
}
