import { expect, test } from 'vitest'
import { scalarsOfTexts, textWithout, wordGame } from '../../../../../lib/methods/text/shared/hiding.ts'
import { fakeContext, fakeModel, MASK, PAD } from '../fake-model.ts'

const IDS = [101, 7, 12, 7, 3, 102]
const TEXTS = [[101, 7, 102], IDS, [101, 102], [101, 12, 102], [101, 7, 102], [101, 7, 12, 102], [101, 7, 3, 102]]

async function ask(texts: readonly (readonly number[])[], model = fakeModel()) {
  const shares: number[] = []
  const scalars = await scalarsOfTexts(
    fakeContext(model, { ids: IDS }),
    { total: texts.length, idsOf: (at) => texts[at] ?? [], whole: 42 },
    (share) => shares.push(share),
  )
  return { scalars, shares, questions: model.questions }
}

test('each text as asked alone; equal ones once, the text itself not at all, no padding', async () => {
  const { scalars, shares, questions } = await ask(TEXTS)
  for (const [at, text] of TEXTS.entries()) expect(scalars[at]).toBe((await ask([text])).scalars[0])
  expect(scalars[1]).toBe(42)
  expect(scalars[0]).toBe(scalars[4])
  const dims = questions.map(({ feeds }) => feeds?.['ids']?.dims)
  expect(dims).toEqual([[2, 4], [2, 3], [1, 2]]) // prettier-ignore
  expect(
    questions.every(({ feeds }) => Array.from(feeds?.['mask']?.data ?? [], Number).every((one) => one === 1)),
  ).toBe(true)
  expect(shares).toEqual([0.4, 0.8, 1])
})

test('nothing to ask is done at once', async () => {
  const { shares, questions } = await ask([IDS])
  expect([shares, questions]).toEqual([[1], []])
})

test('a run is stopped between two batches', async () => {
  const controller = new AbortController()
  const model = fakeModel()
  const context = fakeContext(model, { ids: IDS, signal: controller.signal })
  const texts = { total: TEXTS.length, idsOf: (at: number) => TEXTS[at] ?? [], whole: 0 }
  const run = scalarsOfTexts(context, texts, () => controller.abort())
  await expect(run).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(model.questions).toHaveLength(1)
})

test('ways of hiding', () => {
  const context = fakeContext(fakeModel(), { ids: IDS })
  const gone = new Set([1, 4])
  expect(textWithout(context, 'mask')(gone)).toEqual([101, MASK, 12, 7, MASK, 102])
  expect(textWithout(context, 'pad')(gone)).toEqual([101, PAD, 12, 7, PAD, 102])
  expect(textWithout(context, 'delete')(gone)).toEqual([101, 12, 7, 102])
  expect(textWithout(context, 'delete')(new Set(IDS.keys()))).toEqual([PAD])
})

test('a game hides all tokens of a word', async () => {
  const model = fakeModel()
  const game = wordGame(fakeContext(model, { ids: IDS }), [[1, 2], [3], [4]], 'delete', 5)
  const worths = await game.worths([Uint8Array.of(0, 1, 1), Uint8Array.of(1, 1, 1)], () => undefined)
  expect(Array.from(model.questions[0]?.feeds?.['ids']?.data ?? [], Number)).toEqual([101, 7, 3, 102])
  expect(worths[1]).toBe(5)
})
