import { expect, test } from 'vitest'
import { idgi } from '../../../../lib/methods/text/idgi.ts'
import { goldens, onTiny } from '../../../helpers/tiny-transformer.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'
import { dot, fakeContext, fakeModel, MASK, U, V, wordOf } from './fake-model.ts'

const IDS = [101, 7, 12, 7, 3, 102]
const run = (params: object, target = 0) => idgi.run(fakeContext(fakeModel(), { target }), idgi.params.parse(params))

test('equals the literal algorithm of the paper on a transformer', async () => {
  const { scores, completeness } = await onTiny(idgi, 'bert', { steps: 24 })
  expect(relativeDifference(scores.data, goldens.bert.idgi)).toBeLessThan(1e-4)
  expect(completeness?.error).toBeLessThan(1e-4)
})

test('a quadratic score: the gradient is the same at every token, and so is the share', async () => {
  const { scores } = await run({ steps: 5 }, 1)
  const ends = dot(V, wordOf(101)) + dot(V, wordOf(102))
  const z = (ids: readonly number[]) => ends + ids.reduce((sum, id) => sum + dot(V, wordOf(id)), 0)
  const gain = (z([7, 12, 7, 3]) ** 2 - z([MASK, MASK, MASK, MASK]) ** 2) / 2
  for (const score of scores.data) expect(score).toBeCloseTo(gain / IDS.length, 4)
})

test('one step: shares by the squared gradient at the baseline, and the sum is exact all the same', async () => {
  const { scores, completeness } = await run({ steps: 1 })
  const start = IDS.map((id, at) => wordOf(at === 0 || at === 5 ? id : MASK))
  const squares = start.map((word) => (1 - Math.tanh(dot(U, word)) ** 2) ** 2)
  const whole = squares.reduce((sum, one) => sum + one, 0)
  const F = (words: readonly number[][]) => words.reduce((sum, word) => sum + Math.tanh(dot(U, word)), 0)
  const gain = F(IDS.map(wordOf)) - F(start)
  squares.forEach((square, token) => expect(scores.data[token]).toBeCloseTo((gain * square) / whole, 5))
  expect(completeness?.error).toBeLessThan(1e-5)
  expect(completeness?.points).toBe(2)
})

test('several baselines: the mean, and completeness against the mean of their scores', async () => {
  const [all, ...each] = await Promise.all(['several', 'mask', 'pad', 'zero'].map((baseline) => run({ baseline })))
  IDS.forEach((_, token) =>
    expect(all?.scores.data[token]).toBeCloseTo(
      each.reduce((sum, one) => sum + (one.scores.data[token] ?? NaN) / 3, 0),
      5,
    ),
  )
  expect(all?.completeness?.error).toBeLessThan(1e-4)
})

test('a class that nothing changes scores zero, and says so', async () => {
  const { scores, diagnoses } = await run({}, 2)
  expect([...scores.data]).toEqual([0, 0, 0, 0, 0, 0])
  expect(diagnoses.map(({ code }) => code)).toContain('ZERO_GRADIENT')
})
