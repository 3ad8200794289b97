import { expect, test } from 'vitest'
import { slic } from '../../../../lib/image/segmentation/slic.ts'
import { lime } from '../../../../lib/methods/image/lime.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { inBatchesOf } from '../../../helpers/small-batches.ts'
import { TinyCnn, tinyFeed } from '../../../helpers/tiny-cnn.ts'

/** Every unit of the second layer on: with black fill the score goes with each superpixel by itself, as far as the first layer does. */
const linear = () => new TinyCnn({ secondBias: 100 })
const params = { samples: 400, segments: 9, fill: 'black', ridge: 0 }

/** The picture's superpixels, by what the method is fed: levels as they are. */
function superpixels(segments: number) {
  const { data } = tinyFeed()
  const rgb = Float64Array.from({ length: 108 }, (_, at) => data[(at % 3) * 36 + Math.floor(at / 3)] ?? NaN)
  return slic(rgb, 6, 6, { segments, compactness: 10 })
}

test('of a model that counts superpixels one by one: each has what the score falls by without it', async () => {
  const model = linear()
  const { map, diagnoses } = await runImageMethod(lime, model, { params })
  const { labels, count } = superpixels(9)
  const score = (picture: ArrayLike<number>): number => model.forward(picture)['logits']?.[0] ?? NaN
  const clean = tinyFeed().data
  for (let superpixel = 0; superpixel < count; superpixel += 1) {
    const without = clean.map((value, at) => (labels[at % 36] === superpixel ? 0 : value))
    labels.forEach((label, at) => {
      if (label === superpixel) expect(map.data[at]).toBeCloseTo(score(clean) - score(without), 4)
    })
  }
  expect(count).toBeGreaterThan(4)
  expect(diagnoses.map(({ code }) => code)).not.toContain('SURROGATE_MISFIT')
})

test('same seed same bytes, in batches of any size; another seed, another map', async () => {
  const [whole, small] = [new TinyCnn(), inBatchesOf(3, new TinyCnn())]
  const few = { ...params, samples: 60 }
  const expected = await runImageMethod(lime, whole, { params: few, seed: 4 })
  expect(await runImageMethod(lime, small, { params: few, seed: 4 })).toEqual(expected)
  expect(small.asked.length).toBeGreaterThan(whole.asked.length)
  expect((await runImageMethod(lime, whole, { params: few, seed: 5 })).map.data).not.toEqual(expected.map.data)
})

test('equal versions are asked once', async () => {
  const model = inBatchesOf(1, new TinyCnn())
  await runImageMethod(lime, model, { params: { samples: 500, segments: 2 } })
  // The picture itself, and every other set of superpixels.
  expect(model.asked.length).toBeLessThanOrEqual(2 ** superpixels(2).count)
})
