import { expect, test } from 'vitest'
import { expectedGradients } from '../../../../lib/methods/text/expected-gradients.ts'
import { dot, fakeContext, fakeModel, U, wordOf } from './fake-model.ts'

const WORDS = [7, 12, 7, 3]
const SPECIAL = [101, 102, 0, 103, 100]
const run = (params: object, changes: Parameters<typeof fakeContext>[1] = {}) =>
  expectedGradients.run(fakeContext(fakeModel(), changes), expectedGradients.params.parse(params))
const meanOf = (ids: readonly number[]) => ids.reduce((sum, id) => sum + Math.tanh(dot(U, wordOf(id))), 0) / ids.length

test('of a separable score: a word against the mean of the vocabulary, special tokens not at all', async () => {
  const all = Array.from({ length: 991 }, (_, id) => id).filter((id) => !SPECIAL.includes(id))
  const { scores } = await run({ samples: 1000 })
  // Slopes times ways differ by about 1.5 from sample to sample: the standard error of the mean is 0.05.
  WORDS.forEach((id, at) =>
    expect(Math.abs((scores.data[at + 1] ?? NaN) - (Math.tanh(dot(U, wordOf(id))) - meanOf(all)))).toBeLessThan(0.15),
  )
  expect([scores.data[0], scores.data[5]]).toEqual([0, 0])
})

test('against its own words it is the mean of those that counts', async () => {
  const { scores } = await run({ samples: 1000, background: 'own-words' })
  WORDS.forEach((id, at) =>
    expect(Math.abs((scores.data[at + 1] ?? NaN) - (Math.tanh(dot(U, wordOf(id))) - meanOf(WORDS)))).toBeLessThan(0.15),
  )
})

test('each sample is a text of its own, by the seed alone', async () => {
  const model = fakeModel()
  const params = expectedGradients.params.parse({ samples: 20 })
  await expectedGradients.run(fakeContext(model), params)
  const rows = model.questions
    .filter(({ gradient, feeds }) => gradient === undefined && (feeds?.['ids']?.dims[0] ?? 0) > 1)
    .flatMap(({ feeds }) => {
      const { data = [], dims = [] } = feeds?.['ids'] ?? {}
      const [count = 0, tokens = 0] = dims
      return Array.from({ length: count }, (_, row) =>
        Array.from(data, Number)
          .slice(row * tokens, (row + 1) * tokens)
          .join(),
      )
    })
  expect(rows).toHaveLength(20)
  expect(new Set(rows).size).toBe(20)
  for (const row of rows) expect(row).toMatch(/^101,.*,102$/u)
  expect(await run({ samples: 20 }, { seed: 1 })).not.toEqual(await run({ samples: 20 }))
})

test('a tokenizer that does not say how many tokens it has', async () => {
  const vocabulary = { pad: 0, mask: 103, unknown: 100 }
  await expect(run({}, { vocabulary })).rejects.toMatchObject({ code: 'BAD_PARAMETER' })
  expect((await run({ background: 'own-words' }, { vocabulary })).scores.dims).toEqual([6])
})
