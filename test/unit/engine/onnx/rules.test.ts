/** Every gradient rule: finite differences, PyTorch's gradient, and the stated subgradient at special points. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { DECOMPOSITIONS } from '../../../../lib/engine/onnx/decompose.ts'
import { RULES } from '../../../../lib/engine/onnx/rules/index.ts'
import type { FloatTensor } from '../../../../lib/tensor/tensor.ts'
import { ROWS } from '../../../fixtures/onnx/rows.ts'
import { checkGradient } from '../../../helpers/check-gradient.ts'
import { cotangentFor, rowCase } from '../../../helpers/row-model.ts'
import { FINITE_DIFFERENCE, FLOAT32, relativeDifference } from '../../../helpers/tolerance.ts'

interface Golden {
  readonly output: readonly number[]
  readonly gradients: Readonly<Record<string, readonly number[]>>
}
const goldens = JSON.parse(
  readFileSync(new URL('../../../fixtures/onnx/operator-goldens.json', import.meta.url), 'utf8'),
) as { readonly rows: Readonly<Record<string, Golden>> }

test('every rule has a row, every row a rule, every golden a row', () => {
  const keys = new Set(ROWS.map((row) => (row.domain ? `${row.domain}:${row.operator}` : row.operator)))
  // Quantised operators are not smooth: quantised.test.ts compares them with the float operators they stand for.
  const smooth = Object.keys(RULES).filter((key) => !RULES[key]?.carriesIntegers)
  expect([...smooth, ...Object.keys(DECOMPOSITIONS)].filter((key) => !keys.has(key))).toEqual([])
  const names = ROWS.map((row) => row.name)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  expect(Object.keys(goldens.rows).filter((name) => !names.includes(name))).toEqual([])
})

describe.each(ROWS.map((row) => [row.name, row] as const))('%s', (name, row) => {
  test.each(
    row.fixed
      ? ([['fixed', false]] as const)
      : ([
          ['fixed', false],
          ['symbolic', true],
        ] as const),
  )('%s extents', async (_, symbolic) => {
    const one = await rowCase(row, symbolic)
    try {
      const of = await cotangentFor(row, one)
      if (row.expected) {
        const { gradients } = await one.model.ask({ feeds: one.feeds, read: [], gradient: { of, wrt: one.wrt } })
        expect([...(gradients[one.wrt[0] ?? ''] as FloatTensor).data]).toEqual(row.expected)
      } else {
        const check = await checkGradient(one.model, one.feeds, one.wrt, of)
        expect(check.error, JSON.stringify(check)).toBeLessThan(FINITE_DIFFERENCE)
      }
      const golden = goldens.rows[name]
      if (golden === undefined) return
      const { values, gradients } = await one.model.ask({
        feeds: one.feeds,
        read: [one.output],
        gradient: { of, wrt: one.wrt },
      })
      expect(relativeDifference((values[one.output] as FloatTensor).data, golden.output)).toBeLessThan(FLOAT32)
      for (const input of one.wrt)
        expect(
          relativeDifference((gradients[input] as FloatTensor).data, golden.gradients[input] ?? []),
          `${name} ${input} against PyTorch`,
        ).toBeLessThan(FLOAT32)
    } finally {
      await one.model.dispose()
    }
  })
})
