import { expect, test } from 'vitest'
import { partitionShap } from '../../../../lib/methods/text/partition-shap.ts'
import { dot, fakeContext, fakeModel, MASK, V, wordOf } from './fake-model.ts'

const run = (params: object, context: Parameters<typeof fakeContext>[1] = {}, model = fakeModel()) =>
  partitionShap.run(fakeContext(model, context), partitionShap.params.parse(params))
const words = (count: number) => [101, ...Array.from({ length: count }, (_, at) => 3 + ((at * 5) % 90)), 102]
const z = (ids: readonly number[]) => ids.reduce((sum, id) => sum + dot(V, wordOf(id)), 0)

test('opened to single words: interactions of two are shared evenly, wherever the tree parts them', async () => {
  const ids = words(12)
  const { scores, completeness, diagnoses } = await run({ evaluations: 1000 }, { ids, target: 1 })
  const blank = ids.map((id, at) => (at === 0 || at === ids.length - 1 ? id : MASK))
  const expected = ids.map(
    (id, at) => ((dot(V, wordOf(id)) - dot(V, wordOf(blank[at] ?? 0))) * (z(ids) + z(blank))) / 2,
  )
  const largest = Math.max(...expected.map(Math.abs))
  expected.forEach((one, at) => expect(Math.abs((scores.data[at] ?? NaN) - one)).toBeLessThan(1e-4 * largest))
  expect(completeness?.error).toBeLessThan(1e-5)
  expect(diagnoses).toEqual([])
})

test('a budget that ends early: still complete, and said', async () => {
  const model = fakeModel()
  const { scores, completeness, diagnoses } = await run({ evaluations: 40 }, { ids: words(60), target: 1 }, model)
  expect(completeness?.error).toBeLessThan(1e-5)
  expect(diagnoses).toContainEqual({
    code: 'BUDGET_SPENT',
    severity: 'info',
    message: expect.stringMatching(/^The 40 predictions .* \d+ of 60 words/),
  })
  const asked = model.questions.reduce((sum, { feeds }) => sum + (feeds?.['ids']?.dims[0] ?? NaN), 0)
  const cost = partitionShap.cost(partitionShap.params.parse({ evaluations: 40 }), {
    tap: null,
    classes: 3,
    tokens: 62,
    pixels: 0,
  })
  expect(asked).toBeLessThanOrEqual(cost)
  expect(new Set(scores.data).size).toBeGreaterThan(2)
})

test('nothing is drawn: the seed does not matter', async () => {
  const of = (seed: number) => run({ evaluations: 30 }, { ids: words(20), target: 1, seed })
  expect(await of(1)).toEqual(await of(2))
})
