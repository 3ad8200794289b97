import { describe, expect, it, test } from 'vitest'
import type { Game } from '../../../../lib/methods/shared/coalitions.ts'
import { balancedTree, leaf, owenValues } from '../../../../lib/methods/shared/owen.ts'
import { goldens } from '../../../helpers/perturbation-goldens.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

interface Golden {
  readonly players: number
  readonly evaluations: number
  readonly worth: readonly number[]
  readonly values: readonly number[]
}

function gameOf(players: number, worth: readonly number[]): Game {
  return {
    players,
    worths: (coalitions) =>
      Promise.resolve(
        Float64Array.from(
          coalitions,
          (one) => worth[one.reduce((bits, here, player) => bits + here * 2 ** player, 0)] ?? NaN,
        ),
      ),
  }
}
const leaves = (players: number) => balancedTree(Array.from({ length: players }, (_, player) => leaf(player)))
const valuesOf = (players: number, worth: readonly number[], evaluations: number, tree = leaves(players)) => {
  const ends = { empty: worth[0] ?? NaN, full: worth.at(-1) ?? NaN }
  return owenValues(gameOf(players, worth), tree, ends, evaluations, () => undefined)
}

describe('as shap\u2019s Partition explainer', () => {
  it.each(goldens('partition') as Golden[])('$players players, $evaluations evaluations', async (golden) => {
    const { values, asked } = await valuesOf(golden.players, golden.worth, golden.evaluations)
    expect(relativeDifference(values, golden.values)).toBeLessThan(1e-9)
    expect(asked).toBeLessThanOrEqual(golden.evaluations)
  })
})

test('what is not opened is shared evenly, and adds up all the same', async () => {
  const worth = Array.from({ length: 16 }, (_, bits) => Math.sin(3 * bits))
  const whole = await valuesOf(4, worth, 100)
  expect([whole.asked, whole.coarse]).toEqual([10, 0])
  const some = await valuesOf(4, worth, 2)
  expect([some.asked, some.coarse]).toEqual([2, 4])
  expect(some.values[0]).toBe(some.values[1])
  for (const { values } of [whole, some])
    expect(values.reduce((sum, one) => sum + one, 0)).toBeCloseTo((worth[15] ?? NaN) - (worth[0] ?? NaN), 12)
})

test('the tree decides: a bonus of two is shared by them where they part, within its group', async () => {
  // 1 where players 0 and 2 are both there, of four: in one group or across two, each has half.
  const worth = Array.from({ length: 16 }, (_, bits) => Number((bits & 5) === 5))
  const across = await valuesOf(4, worth, 100)
  expect(across.values).toEqual([0.5, 0, 0.5, 0])
  // 1 where 0, 1 and 2 are all there, in groups {0, 1} and {2, 3}: the groups share first.
  const three = Array.from({ length: 16 }, (_, bits) => Number((bits & 7) === 7))
  expect((await valuesOf(4, three, 100)).values).toEqual([0.25, 0.25, 0.5, 0])
})
