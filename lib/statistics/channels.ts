/**
 * Sums over the places of each channel of a tensor, input after input, in double precision. Means and squared deviations are
 * those of an input by itself, merged as Chan, Golub and LeVeque (1979) do: nothing cancels where a mean is large.
 *
 * Letters: C channels.
 */

/** Of all values of a tap, over all inputs. */
export interface Summary {
  readonly values: number
  readonly mean: number
  /** Of the population: divided by the number of values, as NumPy's `std`. */
  readonly standardDeviation: number
  readonly least: number
  readonly largest: number
  /** Share of values with |a| below the bound, 0..1. */
  readonly nearZero: number
  /** Share of values a < 0, those near zero among them, 0..1. */
  readonly negative: number
  /** Channels of which no value, of any input, reaches the bound. */
  readonly deadChannels: number
}

/** [C] each, as in {@link Summary} for the values of one channel. */
export interface ChannelStatistics {
  readonly mean: readonly number[]
  readonly standardDeviation: readonly number[]
  readonly least: readonly number[]
  readonly largest: readonly number[]
  readonly nearZero: readonly number[]
  readonly negative: readonly number[]
  readonly dead: readonly boolean[]
  /**
   * To the class score: the sum over the channel's places of activation times gradient, mean over the inputs. null where no
   * gradient reaches the tap.
   */
  readonly contribution: readonly number[] | null
}

export class Channels {
  readonly count: number
  readonly #bound: number
  readonly #mean: Float64Array
  /** Sum of squared deviations from the mean. */
  readonly #squares: Float64Array
  readonly #least: Float64Array
  readonly #largest: Float64Array
  readonly #near: Float64Array
  readonly #negative: Float64Array
  readonly #contribution: Float64Array | null
  /** Values a channel so far. */
  #values = 0
  #inputs = 0

  constructor(count: number, bound: number, withGradient: boolean) {
    const zero = (): Float64Array => new Float64Array(count)
    this.count = count
    this.#bound = bound
    this.#mean = zero()
    this.#squares = zero()
    this.#least = zero().fill(Infinity)
    this.#largest = zero().fill(-Infinity)
    this.#near = zero()
    this.#negative = zero()
    this.#contribution = withGradient ? zero() : null
  }

  /**
   * @param values finite, [..., C, ...]
   * @param gradient in the same shape
   * @param behind places behind the axis of channels: neighbours along it lie so far apart
   */
  add(values: Float32Array, gradient: Float32Array | null, behind: number): void {
    const places = values.length / this.count
    if (places === 0) return
    const { sums, contributions } = this.#count(values, gradient, behind)
    const means = sums.map((sum) => sum / places)
    const squares = squaresAround(means, values, behind)
    for (const [channel, mean] of means.entries()) {
      this.#merge(channel, places, mean, squares[channel] ?? Number.NaN)
      if (this.#contribution !== null) increase(this.#contribution, channel, contributions[channel] ?? Number.NaN)
    }
    this.#values += places
    this.#inputs += 1
  }

  /** One look at every value: millions an input, so neighbours of one channel are counted in locals. */
  #count(values: Float32Array, gradient: Float32Array | null, behind: number) {
    const bound = this.#bound
    const sums = new Float64Array(this.count)
    const contributions = new Float64Array(this.count)
    for (let start = 0, channel = 0; start < values.length; start += behind) {
      let [sum, near, negative, contribution, least, largest] = [0, 0, 0, 0, Infinity, -Infinity]
      for (let at = start; at < start + behind; at += 1) {
        const value = values[at] ?? Number.NaN
        sum += value
        if (Math.abs(value) < bound) near += 1
        if (value < 0) negative += 1
        if (value < least) least = value
        if (value > largest) largest = value
        if (gradient !== null) contribution += value * (gradient[at] ?? Number.NaN)
      }
      increase(sums, channel, sum)
      increase(contributions, channel, contribution)
      increase(this.#near, channel, near)
      increase(this.#negative, channel, negative)
      this.#least[channel] = Math.min(this.#least[channel] ?? Infinity, least)
      this.#largest[channel] = Math.max(this.#largest[channel] ?? -Infinity, largest)
      channel = channel + 1 === this.count ? 0 : channel + 1
    }
    return { sums, contributions }
  }

  #merge(channel: number, values: number, mean: number, squares: number): void {
    const before = { values: this.#values, mean: this.#mean[channel] ?? 0, squares: this.#squares[channel] ?? 0 }
    const merged = merge(before, { values, mean, squares })
    this.#mean[channel] = merged.mean
    this.#squares[channel] = merged.squares
  }

  #isDead(channel: number): boolean {
    return this.#near[channel] === this.#values
  }

  each(): ChannelStatistics {
    const perValue = (sums: Float64Array): number[] => Array.from(sums, (sum) => sum / this.#values)
    return {
      mean: Array.from(this.#mean),
      standardDeviation: perValue(this.#squares).map(Math.sqrt),
      least: Array.from(this.#least),
      largest: Array.from(this.#largest),
      nearZero: perValue(this.#near),
      negative: perValue(this.#negative),
      dead: Array.from(this.#near, (_, channel) => this.#isDead(channel)),
      contribution: this.#contribution === null ? null : Array.from(this.#contribution, (sum) => sum / this.#inputs),
    }
  }

  summary(): Summary {
    let all: Moments = { values: 0, mean: 0, squares: 0 }
    for (const [channel, mean] of this.#mean.entries())
      all = merge(all, { values: this.#values, mean, squares: this.#squares[channel] ?? 0 })
    const share = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0) / all.values
    return {
      values: all.values,
      mean: all.mean,
      standardDeviation: Math.sqrt(all.squares / all.values),
      least: this.#least.reduce((least, one) => Math.min(least, one), Infinity),
      largest: this.#largest.reduce((largest, one) => Math.max(largest, one), -Infinity),
      nearZero: share(this.#near),
      negative: share(this.#negative),
      deadChannels: this.#near.reduce((dead, _, channel) => dead + Number(this.#isDead(channel)), 0),
    }
  }
}

/** Of each channel the sum of squared deviations from its mean. */
function squaresAround(means: Float64Array, values: Float32Array, behind: number): Float64Array {
  const squares = new Float64Array(means.length)
  for (let start = 0, channel = 0; start < values.length; start += behind) {
    const mean = means[channel] ?? Number.NaN
    let sum = 0
    for (let at = start; at < start + behind; at += 1) {
      const apart = (values[at] ?? Number.NaN) - mean
      sum += apart * apart
    }
    increase(squares, channel, sum)
    channel = channel + 1 === means.length ? 0 : channel + 1
  }
  return squares
}

interface Moments {
  readonly values: number
  readonly mean: number
  /** Sum of squared deviations from it. */
  readonly squares: number
}

/** Equations 2.1 of Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances". */
function merge(one: Moments, other: Moments): Moments {
  if (one.values === 0) return other
  const values = one.values + other.values
  const apart = other.mean - one.mean
  return {
    values,
    mean: one.mean + (apart * other.values) / values,
    squares: one.squares + other.squares + (apart ** 2 * one.values * other.values) / values,
  }
}

function increase(sums: Float64Array, at: number, by: number): void {
  sums[at] = (sums[at] ?? 0) + by
}
