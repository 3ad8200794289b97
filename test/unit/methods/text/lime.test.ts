import { expect, test } from 'vitest'
import { lime } from '../../../../lib/methods/text/lime.ts'
import { dot, fakeContext, fakeModel, MASK, U, wordOf } from './fake-model.ts'

const IDS = [101, 7, 12, 9, 3, 102]
const run = (params: object, context: Parameters<typeof fakeContext>[1] = {}, model = fakeModel()) =>
  lime.run(fakeContext(model, { ids: IDS, ...context }), lime.params.parse(params))
const bend = (id: number) => Math.tanh(dot(U, wordOf(id)))

test('of a model that adds up its words: the weights of the words', async () => {
  const { scores, diagnoses } = await run({ samples: 400, ridge: 1e-6 })
  IDS.forEach((id, at) => expect(scores.data[at]).toBeCloseTo(at === 0 || at === 5 ? 0 : bend(id), 3))
  expect(diagnoses).toEqual([])
})

test('masked words are compared with [MASK]', async () => {
  const { scores } = await run({ samples: 400, ridge: 1e-6, hiding: 'mask' })
  expect(scores.data[1]).toBeCloseTo(bend(7) - bend(MASK), 3)
})

test('the ridge draws towards zero; the seed decides', async () => {
  const [free, drawn] = [await run({ samples: 50, ridge: 0 }), await run({ samples: 50, ridge: 100 })]
  const size = (of: typeof free) => of.scores.data.reduce((sum, one) => sum + Math.abs(one), 0)
  expect(size(drawn)).toBeLessThan(size(free) / 2)
  const seeded = (seed: number) => run({ samples: 50 }, { seed, target: 1 })
  expect(await seeded(1)).toEqual(await seeded(1))
  expect((await seeded(1)).scores.data).not.toEqual((await seeded(2)).scores.data)
})

test('equal texts are asked once: four words have sixteen versions, the text itself among them', async () => {
  const model = fakeModel()
  await run({ samples: 1000 }, {}, model)
  const rows = model.questions.reduce((sum, { feeds }) => sum + (feeds?.['ids']?.dims[0] ?? NaN), 0)
  expect(rows).toBe(16)
})
