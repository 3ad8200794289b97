import { expect, test } from 'vitest'
import { inputXGradient } from '../../../../lib/methods/text/input-x-gradient.ts'
import { goldens, onTiny } from '../../../helpers/tiny-transformer.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'
import { dot, fakeContext, fakeModel, U, V, wordOf } from './fake-model.ts'

const IDS = [101, 7, 12, 7, 3, 102]
const run = (target: number) =>
  inputXGradient.run(fakeContext(fakeModel(), { target }), inputXGradient.params.parse({}))

test('the sum of embedding times gradient, signed', async () => {
  const { scores } = await run(0)
  const expected = IDS.map((id) => dot(U, wordOf(id)) * (1 - Math.tanh(dot(U, wordOf(id))) ** 2))
  expect(expected.some((score) => score < 0) && expected.some((score) => score > 0)).toBe(true)
  expected.forEach((score, token) => expect(scores.data[token]).toBeCloseTo(score, 6))
})

test('a quadratic score is counted twice, as Euler\u2019s theorem has it', async () => {
  const { scores } = await run(1)
  const z = IDS.reduce((sum, id) => sum + dot(V, wordOf(id)), 0)
  expect(scores.data.reduce((sum, score) => sum + score, 0)).toBeCloseTo(z * z, 4)
})

test('a class without gradient is said to have none', async () => {
  const { diagnoses } = await run(2)
  expect(diagnoses.map(({ code }) => code)).toContain('ZERO_GRADIENT')
})

test.each(['bert', 'bert-spelled'] as const)('equals Captum on a transformer, %s', async (name) => {
  const { scores } = await onTiny(inputXGradient, name)
  expect(relativeDifference(scores.data, goldens.bert['input-x-gradient'])).toBeLessThan(1e-4)
})
