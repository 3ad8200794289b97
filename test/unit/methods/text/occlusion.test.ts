import { expect, test } from 'vitest'
import { occlusion } from '../../../../lib/methods/text/occlusion.ts'
import { dot, fakeContext, fakeModel, MASK, PAD, U, wordOf } from './fake-model.ts'

const IDS = [101, 7, 12, 7, 3, 102]
const run = (params: object, context: Parameters<typeof fakeContext>[1] = {}) =>
  occlusion.run(fakeContext(fakeModel(), context), occlusion.params.parse(params))
const bend = (id: number) => Math.tanh(dot(U, wordOf(id)))
const close = (found: ArrayLike<number>, expected: readonly number[]) =>
  expected.forEach((value, index) => expect(found[index]).toBeCloseTo(value, 5))

test('each word against its replacement; special tokens score 0', async () => {
  const against = (hidden: number) => IDS.map((id, token) => (token === 0 || token === 5 ? 0 : bend(id) - hidden))
  close((await run({})).scores.data, against(bend(MASK)))
  close((await run({ replacement: 'pad' })).scores.data, against(bend(PAD)))
  close((await run({ replacement: 'zero' })).scores.data, against(0))
})

test('a window hides neighbours together; a token takes the mean of its windows', async () => {
  const [a, b, c, d] = [7, 12, 7, 3].map(bend) as [number, number, number, number]
  const { scores } = await run({ window: 2, replacement: 'zero' })
  close(scores.data, [0, a + b, (a + 2 * b + c) / 2, (b + 2 * c + d) / 2, c + d, 0])
})

test('a window longer than the text hides all of it', async () => {
  const { scores } = await run({ window: 16, replacement: 'zero' })
  const whole = [7, 12, 7, 3].reduce((sum, id) => sum + bend(id), 0)
  close(scores.data, [0, whole, whole, whole, whole, 0])
})

test('a tokenizer without a mask', async () => {
  const refused = run({}, { vocabulary: { pad: null, mask: null, unknown: 100 } })
  await expect(refused).rejects.toMatchObject({ code: 'BAD_PARAMETER' })
})
