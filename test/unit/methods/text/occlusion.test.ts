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

test('deleted tokens: the text is shorter, and equal texts are asked once', async () => {
  const model = fakeModel()
  const context = fakeContext(model, { ids: [101, 7, 7, 3, 102] })
  const { scores } = await occlusion.run(context, occlusion.params.parse({ replacement: 'delete' }))
  close(scores.data, [0, bend(7), bend(7), bend(3), 0])
  const rows = model.questions.map(({ feeds }) => feeds?.['ids']?.dims)
  // Without the first 7 and without the second it is the same text.
  expect(rows).toEqual([[1, 5], [2, 4]]) // prettier-ignore
})

test.each(['mask', 'delete'] as const)(
  'by words and sentences (%s): all tokens of one have its score',
  async (replacement) => {
    const ids = [101, 7, 12, 9, 3, 102]
    const context = {
      ...fakeContext(fakeModel(), { ids }),
      words: () => [[1, 2], [3], [4]],
      sentences: () => [[1, 2, 3], [4]],
    }
    const run = async (unit: string) =>
      (await occlusion.run(context, occlusion.params.parse({ unit, replacement, window: 1 }))) as {
        scores: { data: Float32Array }
      }
    const against = replacement === 'mask' ? bend(MASK) : 0
    const [a, b, c, d] = [7, 12, 9, 3].map((id) => bend(id) - against) as [number, number, number, number]
    close((await run('word')).scores.data, [0, a + b, a + b, c, d, 0])
    close((await run('sentence')).scores.data, [0, a + b + c, a + b + c, a + b + c, d, 0])
  },
)
