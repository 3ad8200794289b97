import { expect, test } from 'vitest'
import { gradientNorm } from '../../../../lib/methods/text/gradient-norm.ts'
import { dot, fakeContext, fakeModel, U, V, wordOf } from './fake-model.ts'

const length = (vector: readonly number[]) => Math.sqrt(dot(vector, vector))
const run = (target: number, params: object) =>
  gradientNorm.run(fakeContext(fakeModel(), { target }), gradientNorm.params.parse(params))
const IDS = [101, 7, 12, 7, 3, 102]

test('L2 is the default and equals the closed form', async () => {
  const { scores } = await run(0, {})
  IDS.forEach((id, token) =>
    expect(scores.data[token]).toBeCloseTo((1 - Math.tanh(dot(U, wordOf(id))) ** 2) * length(U), 6),
  )
})

test('L1 equals the closed form', async () => {
  const z = IDS.reduce((sum, id) => sum + dot(V, wordOf(id)), 0)
  const { scores } = await run(1, { norm: 'L1' })
  const expected = Math.abs(z) * V.reduce((sum, value) => sum + Math.abs(value), 0)
  for (const score of scores.data) expect(score).toBeCloseTo(expected, 5)
})

test('the margin takes the other classes\u2019 mean away', async () => {
  const z = IDS.reduce((sum, id) => sum + dot(V, wordOf(id)), 0)
  const { scores } = await run(0, { scalar: 'margin' })
  IDS.forEach((id, token) => {
    const bend = 1 - Math.tanh(dot(U, wordOf(id))) ** 2
    expect(scores.data[token]).toBeCloseTo(length(U.map((u, feature) => bend * u - (z * (V[feature] ?? 0)) / 2)), 5)
  })
})

test('a class without gradient is said to have none', async () => {
  const { scores, diagnoses } = await run(2, {})
  expect([...scores.data]).toEqual([0, 0, 0, 0, 0, 0])
  expect(diagnoses.map(({ code }) => code)).toContain('ZERO_GRADIENT')
})
