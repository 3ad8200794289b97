import { expect, test } from 'vitest'
import { kernelShap } from '../../../../lib/methods/image/kernel-shap.ts'
import { slic } from '../../../../lib/image/segmentation/slic.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { inBatchesOf } from '../../../helpers/small-batches.ts'
import { TinyCnn, tinyFeed } from '../../../helpers/tiny-cnn.ts'

const params = { segments: 4, samples: 300, fill: 'black' }

function superpixels() {
  const { data } = tinyFeed()
  const rgb = Float64Array.from({ length: 108 }, (_, at) => data[(at % 3) * 36 + Math.floor(at / 3)] ?? NaN)
  return slic(rgb, 6, 6, { segments: 4, compactness: 10 })
}

test('with samples for all: the Shapley values, summed over all orders, spread over their areas', async () => {
  const model = new TinyCnn()
  const { labels, count } = superpixels()
  expect(count).toBeGreaterThan(2)
  expect(count).toBeLessThan(7)
  const clean = tinyFeed().data
  const score = (shown: ReadonlySet<number>): number =>
    model.forward(clean.map((value, at) => (shown.has(labels[at % 36] ?? -1) ? value : 0)))['logits']?.[1] ?? NaN
  const orders = (left: readonly number[]): number[][] =>
    left.length === 0
      ? [[]]
      : left.flatMap((one) => orders(left.filter((other) => other !== one)).map((rest) => [one, ...rest]))
  const all = orders(Array.from({ length: count }, (_, at) => at))
  const values = new Array<number>(count).fill(0)
  for (const order of all) {
    const shown = new Set<number>()
    for (const one of order) {
      const before = score(shown)
      shown.add(one)
      values[one] = (values[one] ?? NaN) + (score(shown) - before) / all.length
    }
  }
  const { map, completeness } = await runImageMethod(kernelShap, model, { params, index: 1 })
  const areas = values.map((_, one) => labels.filter((label) => label === one).length)
  labels.forEach((label, at) => expect(map.data[at]).toBeCloseTo((values[label] ?? NaN) / (areas[label] ?? NaN), 5))
  expect(completeness?.expected).toBeCloseTo(score(new Set(labels)) - score(new Set()), 5)
  expect(completeness?.error).toBeLessThan(1e-5)
})

test('adds up with few samples too; same seed same bytes in batches of any size', async () => {
  const few = { segments: 20, samples: 50 }
  const [whole, small] = [new TinyCnn(), inBatchesOf(3, new TinyCnn())]
  const expected = await runImageMethod(kernelShap, whole, { params: few, seed: 4 })
  expect(expected.completeness?.error).toBeLessThan(1e-4)
  expect(await runImageMethod(kernelShap, small, { params: few, seed: 4 })).toEqual(expected)
  expect(small.asked.length).toBeGreaterThan(whole.asked.length)
  expect((await runImageMethod(kernelShap, whole, { params: few, seed: 5 })).map.data).not.toEqual(expected.map.data)
})

test('the cost is an upper bound', async () => {
  const model = inBatchesOf(1, new TinyCnn())
  for (const chosen of [
    { segments: 9, samples: 2 },
    { segments: 4, samples: 300 },
  ]) {
    const before = model.asked.length
    await runImageMethod(kernelShap, model, { params: chosen })
    const cost = kernelShap.cost(kernelShap.params.parse(chosen), { tap: null, classes: 3, tokens: 0, pixels: 36 })
    expect(model.asked.length - before).toBeLessThanOrEqual(cost)
  }
})
