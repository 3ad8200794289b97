/** What a row says of an operator's arithmetic, `linear` or `pointwise`, held against its values. */
import { describe, expect, test } from 'vitest'
import { operatorOf } from '../../../../../lib/engine/onnx/operators/operator-of.ts'
import { OPERATORS } from '../../../../../lib/engine/onnx/operators/table.ts'
import { float32, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import type { Row } from '../../../../fixtures/onnx/operator-rows.ts'
import { ROWS } from '../../../../fixtures/onnx/rows.ts'
import { node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'
import { rowCase } from '../../../../helpers/row-model.ts'

const wordsOf = ({ operator, domain }: Row) => operatorOf(node(operator, [], [], {}, domain))
/** Special points hold infinities, and quantised operators round. */
const regular = ROWS.filter((row) => row.expected === undefined && wordsOf(row).rule?.carriesIntegers !== true)

/** How far the middle of two outputs is from the output of the middle, in units of what the output moved. */
async function bend(row: Row, distance = 1): Promise<number> {
  const one = await rowCase(row, 'fixed')
  try {
    const [name = ''] = one.wrt
    const x = one.feeds[name] as FloatTensor
    const step = normals(x.data.length, 17)
    const at = async (side: number): Promise<Float32Array> => {
      const moved = float32(
        x.data.map((value, index) => value + side * distance * (step[index] ?? 0)),
        x.dims,
      )
      const { values } = await one.model.ask({ feeds: { ...one.feeds, [name]: moved }, read: [one.output] })
      return (values[one.output] as FloatTensor).data
    }
    const [before, here, after] = await Promise.all([at(-1), at(0), at(1)])
    let [moved, bent] = [1e-3, 0]
    for (const [index, value] of here.entries()) {
      const [left, right] = [before[index] ?? NaN, after[index] ?? NaN]
      // Outside its domain (a logarithm's) a function is not linear either.
      if (!Number.isFinite(left + right)) return Infinity
      moved = Math.max(moved, Math.abs(right - left))
      bent = Math.max(bent, Math.abs(left + right - 2 * value))
    }
    return bent / moved
  } finally {
    await one.model.dispose()
  }
}

describe('linear', () => {
  const rows = regular.filter((row) => wordsOf(row).linear)
  test.each(rows.map((row) => [row.name, row] as const))('%s is, in its first operand', async (_, row) => {
    expect(await bend(row)).toBeLessThan(1e-4)
  })
  test('no other operator with a rule is', async () => {
    const bends = new Map<string, number>()
    for (const row of regular)
      if (!wordsOf(row).linear && row.domain === undefined)
        bends.set(row.operator, Math.max(bends.get(row.operator) ?? 0, await bend(row, 8)))
    const straight = [...bends].filter(([operator, value]) => OPERATORS[operator]?.rule && value < 1e-3)
    // A quotient is linear in its first operand only.
    expect(straight.map(([operator]) => operator)).toEqual(['Div'])
  }, 60_000)
})

test('what is pointwise is elementwise, and not linear', () => {
  const rows = Object.entries(OPERATORS).filter(([, { pointwise }]) => pointwise)
  expect(rows.length).toBeGreaterThan(30)
  expect(rows.filter(([, { elementwise, linear, rule }]) => !elementwise || linear || !rule)).toEqual([])
})

test('what is elementwise and neither is a quotient', () => {
  const rows = Object.entries(OPERATORS).filter(
    ([, { rule, elementwise, linear, pointwise, sameAs }]) => rule && elementwise && !linear && !pointwise && !sameAs,
  )
  expect(rows.map(([operator]) => operator)).toEqual(['Div'])
})
