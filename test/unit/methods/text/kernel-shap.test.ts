import { expect, test } from 'vitest'
import { kernelShap } from '../../../../lib/methods/text/kernel-shap.ts'
import { dot, fakeContext, fakeModel, MASK, PAD, U, V, wordOf } from './fake-model.ts'

const run = (params: object, context: Parameters<typeof fakeContext>[1] = {}, model = fakeModel()) =>
  kernelShap.run(fakeContext(model, context), kernelShap.params.parse(params))
const words = (count: number) => [101, ...Array.from({ length: count }, (_, at) => 3 + ((at * 5) % 90)), 102]
const bend = (id: number) => Math.tanh(dot(U, wordOf(id)))
const z = (ids: readonly number[]) => ids.reduce((sum, id) => sum + dot(V, wordOf(id)), 0)

/** Of 1/2 z^2: interactions of two, shared evenly: <v, x - b> (z(x) + z(b)) / 2. */
function quadratic(ids: readonly number[], hidden: number): number[] {
  const blank = ids.map((id, at) => (at === 0 || at === ids.length - 1 ? id : hidden))
  return ids.map((id, at) => ((dot(V, wordOf(id)) - dot(V, wordOf(blank[at] ?? 0))) * (z(ids) + z(blank))) / 2)
}

test('of a model that adds up its words: each word against its mask', async () => {
  const { scores, completeness } = await run({})
  const expected = [101, 7, 12, 7, 3, 102].map((id, at) => (at === 0 || at === 5 ? 0 : bend(id) - bend(MASK)))
  expected.forEach((one, at) => expect(scores.data[at]).toBeCloseTo(one, 5))
  expect(completeness?.error).toBeLessThan(1e-5)
})

test.each([
  [4, 100, 'mask', MASK],
  [40, 100, 'pad', PAD],
  [40, 2, 'mask', MASK],
] as const)(
  'of %i words with %i samples (%s): exact for a model of interactions of two',
  async (count, samples, hiding, id) => {
    const ids = words(count)
    const { scores, completeness } = await run({ samples, hiding }, { ids, target: 1 })
    const expected = quadratic(ids, id)
    const largest = Math.max(...expected.map(Math.abs))
    expected.forEach((one, at) => expect(Math.abs((scores.data[at] ?? NaN) - one)).toBeLessThan(1e-4 * largest))
    expect(completeness?.error).toBeLessThan(1e-5)
  },
)

test('deleted words, and the margin over the other classes', async () => {
  const { scores } = await run({ hiding: 'delete', scalar: 'margin' }, { ids: [101, 7, 12, 9, 102], target: 2 })
  const sum = scores.data.reduce((total, one) => total + one, 0)
  const margin = (ids: readonly number[]) => 3 - (ids.reduce((total, id) => total + bend(id), 0) + z(ids) ** 2 / 2) / 2
  expect(sum).toBeCloseTo(margin([101, 7, 12, 9, 102]) - margin([101, 102]), 4)
})

test('a long review: never more texts than the cost says, and no more than a batch at a time', async () => {
  const model = fakeModel()
  const ids = words(200)
  const params = { samples: 300, hiding: 'delete' }
  await run(params, { ids }, model)
  const rows = model.questions.map(({ feeds }) => feeds?.['ids']?.dims ?? [])
  expect(rows.every(([count = NaN, length = NaN]) => count * length <= Math.max(512, length))).toBe(true)
  const asked = rows.reduce((sum, [count = NaN]) => sum + count, 0)
  const cost = kernelShap.cost(kernelShap.params.parse(params), { tap: null, classes: 3, tokens: 202, pixels: 0 })
  expect(asked).toBeGreaterThan(300)
  expect(asked).toBeLessThanOrEqual(cost)
})

test('a tokenizer without a mask is told what to choose', async () => {
  const refused = run({}, { vocabulary: { pad: null, mask: null, unknown: 100 } })
  await expect(refused).rejects.toMatchObject({ code: 'BAD_PARAMETER', message: expect.stringContaining('delete') })
})
