/**
 * Random numbers of a run: a stream for each purpose and each row, named rather than taken in turn, so that the noise of row
 * 17 is the same in a batch of 4 and in one of 16, on this worker and on another.
 */
import { createHash } from 'node:crypto'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'

export interface RandomStream {
  /** From 0 on and below 1. */
  uniform(): number
  /** Mean 0, standard deviation 1. */
  normal(): number
  /** A whole number from 0 on and below `bound`. */
  integer(bound: number): number
  /** One of them, each as probable. @throws RangeError where there is none. */
  choice<T>(items: readonly T[]): T
  /** An index, as probable as its weight says. @throws RangeError where no weight is positive, or one is not finite or negative. */
  weighted(weights: readonly number[]): number
  /** `count` different ones of 0..size - 1 in random order: all of them where left out. @throws RangeError where there are fewer. */
  permutation(size: number, count?: number): number[]
}

/**
 * @param seed the run's
 * @param purpose what the numbers are for, such as `noise`; two purposes of one method need two names
 * @param row of those that are asked for, whatever the batches are
 */
export function randomStream(seed: number, purpose: string, row = 0): RandomStream {
  // As text, so that any two triples have different states, as far as a hash can say.
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, purpose, row]))
    .digest()
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => digest.readInt32LE(at)))
  let spare: number | null = null
  const uniform = (): number => uniformFloat64(generator)
  const integer = (bound: number): number => {
    if (!Number.isInteger(bound) || bound < 1) throw new RangeError(`no whole number lies from 0 on and below ${bound}`)
    return uniformInt(generator, 0, bound - 1)
  }
  return {
    uniform,
    integer,
    /** Box and Muller 1958: two at a time. */
    normal() {
      if (spare !== null) {
        const kept = spare
        spare = null
        return kept
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
      const angle = 2 * Math.PI * uniform()
      spare = radius * Math.sin(angle)
      return radius * Math.cos(angle)
    },
    choice(items) {
      if (items.length === 0) throw new RangeError('nothing to choose from')
      return items[integer(items.length)] as (typeof items)[number]
    },
    weighted(weights) {
      const total = weights.reduce((sum, weight) => sum + (weight < 0 ? NaN : weight), 0)
      if (!(total > 0 && total < Infinity)) throw new RangeError(`weights ${weights.join(', ')} are no probabilities`)
      let left = uniform() * total
      const found = weights.findIndex((weight) => (left -= weight) < 0)
      // Rounding may leave a little behind the last one.
      return found >= 0 ? found : weights.findLastIndex((weight) => weight > 0)
    },
    permutation(size, count = size) {
      if (count > size) throw new RangeError(`${count} different ones of ${size}`)
      const places = Array.from({ length: size }, (_, at) => at)
      // Fisher and Yates, from the front.
      for (let at = 0; at < count; at++) {
        const other = at + integer(size - at)
        ;[places[at], places[other]] = [places[other] as number, places[at] as number]
      }
      return places.slice(0, count)
    },
  }
}
