import { describe, expect, it, test } from 'vitest'
import { kernelCoalitions, shapleyValues } from '../../../../lib/methods/shared/kernel-shap.ts'
import { goldens } from '../../../helpers/perturbation-goldens.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

interface Golden {
  readonly players: number
  /** By the coalition's bits, player 0 the lowest. */
  readonly worth: readonly number[]
  readonly values: readonly number[]
}
const bitsOf = (coalition: Uint8Array): number => coalition.reduce((bits, one, player) => bits + one * 2 ** player, 0)

describe('with all coalitions: the Shapley values of a literal enumeration', () => {
  it.each(goldens('shapley') as Golden[])('of $players players', ({ players, worth, values }) => {
    const all = kernelCoalitions(0, players, 2 ** players)
    expect(all.complete).toBe(true)
    expect(all.coalitions).toHaveLength(2 ** players - 2)
    const worths = all.coalitions.map((one) => worth[bitsOf(one)] ?? NaN)
    const found = shapleyValues(all, worths, worth[0] ?? NaN, worth.at(-1) ?? NaN)
    expect(relativeDifference(found, values)).toBeLessThan(1e-9)
  })
})

/** A game with a worth for each player and each pair: a pair's is shared evenly. */
function pairGame(players: number) {
  const alone = Array.from({ length: players }, (_, player) => Math.sin(player))
  const pair = (a: number, b: number): number => Math.cos(a * players + b)
  const values = alone.map((one, a) =>
    alone.reduce((sum, _, b) => (a === b ? sum : sum + pair(Math.min(a, b), Math.max(a, b)) / 2), one),
  )
  const worth = (coalition: Uint8Array): number => {
    let sum = 1
    for (let a = 0; a < players; a += 1) {
      if (coalition[a] !== 1) continue
      sum += alone[a] ?? NaN
      for (let b = a + 1; b < players; b += 1) if (coalition[b] === 1) sum += pair(a, b)
    }
    return sum
  }
  return { values, worth }
}

test.each([
  [30, 90],
  [41, 200],
  [30, 2],
])('of %i players with %i samples: complements make interactions of two exact', (players, samples) => {
  const drawn = kernelCoalitions(3, players, samples)
  expect(drawn.complete).toBe(false)
  expect(drawn.coalitions.length).toBeLessThanOrEqual(Math.max(samples, 2 * players))
  const { values, worth } = pairGame(players)
  const full = worth(new Uint8Array(players).fill(1))
  const found = shapleyValues(drawn, drawn.coalitions.map(worth), 1, full)
  expect(relativeDifference(found, values)).toBeLessThan(1e-6)
  expect(found.reduce((sum, one) => sum + one, 0)).toBeCloseTo(full - 1, 9)
})

test('coalitions are distinct, come with their complements, and weigh 1 together', () => {
  const { coalitions, weights } = kernelCoalitions(5, 12, 1000)
  const found = new Set(coalitions.map(bitsOf))
  expect(found.size).toBe(coalitions.length)
  expect([...found].every((bits) => found.has(2 ** 12 - 1 - bits))).toBe(true)
  expect(weights.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 12)
  // 24 of one or eleven, 132 of two or ten: whole. The kernel gives a size s the share 1 / (s (12 - s)).
  const ofSize = (size: number) => coalitions.filter((one) => one.reduce((sum, here) => sum + here, 0) === size)
  expect(ofSize(1)).toHaveLength(12)
  const share = (size: number) =>
    coalitions.reduce((sum, one, at) => sum + (one.reduce((a, b) => a + b, 0) === size ? (weights[at] ?? NaN) : 0), 0)
  expect(share(1) / share(2)).toBeCloseTo(20 / 11, 2)
})

test('the seed decides, and nothing else', () => {
  expect(kernelCoalitions(1, 40, 100)).toEqual(kernelCoalitions(1, 40, 100))
  expect(kernelCoalitions(1, 40, 100)).not.toEqual(kernelCoalitions(2, 40, 100))
})
