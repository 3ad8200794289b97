/**
 * KernelSHAP (Lundberg and Lee 2017, 1705.07874, theorem 2): Shapley values as the solution of a weighted regression over
 * coalitions. Each drawn one comes with its complement (Covert and Lee 2021, 2012.01536, section 4), sizes that the samples
 * suffice for are taken whole, as in shap's KernelExplainer, and the values add up to v(everybody) - v(nobody) exactly.
 *
 * Letters: M players, s the size of a coalition, N coalitions.
 */
import { z } from 'zod'
import { complementOf, featuresOf, keyOfCoalition, type Coalition } from './coalitions.ts'
import { regressionWithSum } from './linear-algebra.ts'
import { randomStream } from './random.ts'

/** Draws for each coalition that is wanted: those that were drawn before count once more, and are not asked again. */
const DRAWS = 4

export const samplesField = z.int().min(2).max(20_000).default(1000).meta({
  title: 'Samples',
  description:
    'Sets of parts that are scored, two for each part at least; where there are no more than that, all of them, and the values are exact.',
})

interface WeightedCoalitions {
  readonly coalitions: readonly Coalition[]
  /** Add up to 1, [N]. */
  readonly weights: readonly number[]
  /** All there are: the values are then exact. */
  readonly complete: boolean
}

/** At least so many coalitions determine the values of M players. */
export function coalitionsNeeded(players: number, samples: number): number {
  return Math.max(samples, 2 * players)
}

/** Each with its weight. */
type Weighed = Map<string, { readonly coalition: Coalition; weight: number }>

function add(weighed: Weighed, coalition: Coalition, weight: number): void {
  const key = keyOfCoalition(coalition)
  const known = weighed.get(key)
  if (known === undefined) weighed.set(key, { coalition, weight })
  else known.weight += weight
}

/**
 * Coalitions that are neither nobody nor everybody, weighed by the Shapley kernel.
 * @param samples at most so many of them, or two a player where that is more
 */
export function kernelCoalitions(seed: number, players: number, samples: number): WeightedCoalitions {
  const half = Math.floor(players / 2)
  /** Of all coalitions with s or M - s players, by the kernel: (M - 1) / (s (M - s)) each. */
  const shares = Array.from(
    { length: half },
    (_, at) => (2 * (at + 1) === players ? 1 : 2) / ((at + 1) * (players - at - 1)),
  )
  const shareFrom = (size: number): number => shares.slice(size - 1).reduce((sum, one) => sum + one, 0)
  const whole: Weighed = new Map()
  let left = coalitionsNeeded(players, samples)
  let size = 1
  for (; size <= half; size += 1) {
    const share = shares[size - 1] as number
    const paired = 2 * size !== players
    const subsets = (paired ? 2 : 1) * choose(players, size)
    // As many as a draw would give this size anyway.
    if (subsets > ((left * share) / shareFrom(size)) * (1 + 1e-9)) break
    for (const coalition of coalitionsOf(players, size)) {
      add(whole, coalition, share / subsets)
      if (paired) add(whole, complementOf(coalition), share / subsets)
    }
    left -= subsets
  }
  const drawn = size > half ? (new Map() as Weighed) : draw(seed, players, left, shares, size)
  const count = [...drawn.values()].reduce((sum, { weight }) => sum + weight, 0)
  const found = [
    ...whole.values(),
    ...[...drawn.values()].map((one) => ({ ...one, weight: (one.weight / count) * shareFrom(size) })),
  ]
  return {
    coalitions: found.map(({ coalition }) => coalition),
    weights: found.map(({ weight }) => weight / shareFrom(1)),
    complete: size > half,
  }
}

/** Of at least so many players and as many missing: each drawn one and its complement, counted. */
function draw(seed: number, players: number, wanted: number, shares: readonly number[], from: number): Weighed {
  const drawn: Weighed = new Map()
  const open = shares.slice(from - 1)
  for (let pair = 0; drawn.size + 2 <= wanted && pair < DRAWS * wanted; pair += 1) {
    const random = randomStream(seed, 'coalitions', pair)
    const coalition = new Uint8Array(players)
    for (const player of random.permutation(players, from + random.weighted(open))) coalition[player] = 1
    add(drawn, coalition, 1)
    add(drawn, complementOf(coalition), 1)
  }
  return drawn
}

/** Binomial coefficient; as large as doubles go. */
function choose(players: number, size: number): number {
  let ways = 1
  for (let at = 0; at < size; at += 1) ways = (ways * (players - at)) / (at + 1)
  return Math.round(ways)
}

/** All of that size, in lexical order. */
function* coalitionsOf(players: number, size: number): Generator<Coalition> {
  const chosen = Array.from({ length: size }, (_, at) => at)
  for (;;) {
    const coalition = new Uint8Array(players)
    for (const player of chosen) coalition[player] = 1
    yield coalition
    let at = size - 1
    while (at >= 0 && chosen[at] === players - size + at) at -= 1
    if (at < 0) return
    const next = (chosen[at] as number) + 1
    for (let behind = at; behind < size; behind += 1) chosen[behind] = next + behind - at
  }
}

/**
 * @param worths of the coalitions, [N]
 * @param empty v(nobody)
 * @param full v(everybody)
 * @returns one a player; they add up to full - empty
 */
export function shapleyValues(
  { coalitions, weights }: WeightedCoalitions,
  worths: ArrayLike<number>,
  empty: number,
  full: number,
): readonly number[] {
  const players = coalitions[0]?.length ?? 1
  if (players === 1) return [full - empty]
  const targets = Float64Array.from(worths, (one) => one - empty)
  return regressionWithSum({ features: featuresOf(coalitions, players), targets, weights }, full - empty)
}
