import { expect, test } from 'vitest'
import { gradientShap } from '../../../../lib/methods/text/gradient-shap.ts'
import { integratedGradients } from '../../../../lib/methods/text/integrated-gradients.ts'
import { baselines } from '../../../../lib/methods/text/shared/baseline.ts'
import { embed } from '../../../../lib/methods/text/shared/embedding.ts'
import { meanOverPaths } from '../../../../lib/methods/text/shared/sampled-paths.ts'
import { float32, type FloatTensor } from '../../../../lib/tensor/tensor.ts'
import { goldens, loadTiny, tinyContext } from '../../../helpers/tiny-transformer.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'
import { fakeContext, fakeModel } from './fake-model.ts'

const run = (params: object, seed = 0) =>
  gradientShap.run(fakeContext(fakeModel(), { seed }), gradientShap.params.parse(params))

test('with what Captum drew it answers what Captum answers', async () => {
  const { alphas, choices, scores } = goldens.bert['gradient-shap']
  const model = await loadTiny('bert')
  const context = tinyContext(model, { of: gradientShap })
  const { embedding } = await embed(context)
  const [mask, pad] = await Promise.all(
    (['mask', 'pad'] as const).map(async (name) => (await baselines(context, embedding, name, 'keep'))[0]?.embedding),
  )
  const [tokens = 0, size = 0] = embedding.dims
  const rows = (count: number, of: (row: number) => FloatTensor | undefined) =>
    float32(Array.from({ length: count }, (_, row) => [...(of(row)?.data ?? [])]).flat(), [count, tokens, size])
  const found = await meanOverPaths(
    context,
    {
      total: alphas.length,
      tokens,
      alphas,
      paths: ({ first, count }) => ({
        from: rows(count, (row) => (choices[first + row] === 0 ? mask : pad)),
        to: rows(count, () => embedding),
      }),
    },
    context.target,
  )
  expect(relativeDifference(found, scores)).toBeLessThan(1e-4)
  await model.dispose()
})

test('in expectation it is integrated gradients, averaged over the blanks', async () => {
  const context = fakeContext(fakeModel())
  const exact = await integratedGradients.run(
    context,
    integratedGradients.params.parse({ baseline: 'several', steps: 64 }),
  )
  const { scores } = await run({ samples: 1000 })
  expect(relativeDifference(scores.data, exact.scores.data)).toBeLessThan(0.1)
  expect(relativeDifference((await run({ samples: 4 })).scores.data, exact.scores.data)).toBeGreaterThan(0.1)
})

test('with one blank and shares of the way in layers few samples are enough', async () => {
  const context = fakeContext(fakeModel())
  const exact = await integratedGradients.run(context, integratedGradients.params.parse({ steps: 64 }))
  const { scores } = await run({ baseline: 'mask', samples: 64 })
  expect(relativeDifference(scores.data, exact.scores.data)).toBeLessThan(0.01)
})

test('the seed decides, and noise moves the text', async () => {
  const [one, again, other] = [await run({}, 5), await run({}, 5), await run({}, 6)]
  expect(again).toEqual(one)
  expect(other.scores.data).not.toEqual(one.scores.data)
  const still = await run({ baseline: 'mask' })
  const noisy = await run({ baseline: 'mask', noise: 0.5 })
  expect(noisy.scores.data).not.toEqual(still.scores.data)
  // Special tokens are the same in the baseline: only noise gives them a way.
  expect(still.scores.data[0]).toBe(0)
  expect(noisy.scores.data[0]).not.toBe(0)
})
