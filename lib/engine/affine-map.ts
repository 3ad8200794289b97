/** x -> W x + b over the channels of a map, put together step by step: what linear heads are read into. */

export class AffineMap {
  /** C */
  readonly #inputs: number
  /** [L, C]; null for the identity. */
  readonly #weights: Float32Array | null
  /** [L] */
  readonly bias: Float32Array

  private constructor(inputs: number, weights: Float32Array | null, bias: Float32Array) {
    this.#inputs = inputs
    this.#weights = weights
    this.bias = bias
  }

  static identity(channels: number): AffineMap {
    return new AffineMap(channels, null, new Float32Array(channels))
  }

  /** L */
  get outputs(): number {
    return this.bias.length
  }

  /** [L, C] */
  get weights(): Float32Array {
    return this.#weights ?? diagonal(new Float32Array(this.#inputs).fill(1))
  }

  /** V (W x + b) + d. @param matrix V, [M, L] @param shift d, [M]; null for zeros */
  product(matrix: ArrayLike<number>, shift: ArrayLike<number> | null): AffineMap {
    const [inner, inputs] = [this.outputs, this.#inputs]
    const outer = matrix.length / inner
    const weights = new Float32Array(outer * inputs)
    const bias = new Float32Array(outer)
    for (let m = 0; m < outer; m++) {
      const sums = new Float64Array(inputs)
      let sum = shift?.[m] ?? 0
      for (let l = 0; l < inner; l++) {
        const factor = matrix[m * inner + l] ?? 0
        sum += factor * (this.bias[l] ?? 0)
        if (this.#weights === null) sums[l] = factor
        else for (let c = 0; c < inputs; c++) sums[c] = (sums[c] ?? 0) + factor * (this.#weights[l * inputs + c] ?? 0)
      }
      weights.set(sums, m * inputs)
      bias[m] = sum
    }
    return new AffineMap(inputs, weights, bias)
  }

  /** Each output times its factor, plus its own number. @param factors [L] @param shift [L]; null for zeros */
  scaled(factors: ArrayLike<number>, shift: ArrayLike<number> | null): AffineMap {
    const { weights } = this
    const inputs = this.#inputs
    return new AffineMap(
      inputs,
      weights.map((one, at) => one * (factors[Math.floor(at / inputs)] ?? 0)),
      this.bias.map((one, l) => (shift?.[l] ?? 0) + one * (factors[l] ?? 0)),
    )
  }
}

/** [C, C] with a diagonal. */
function diagonal(values: ArrayLike<number>): Float32Array {
  const matrix = new Float32Array(values.length * values.length)
  for (let c = 0; c < values.length; c++) matrix[c * values.length + c] = values[c] ?? 0
  return matrix
}
