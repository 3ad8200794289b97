import { describe, expect, it, test } from 'vitest'
import { occlusion } from '../../../../lib/methods/image/occlusion.ts'
import { windowSides, windowsOver } from '../../../../lib/methods/image/shared/windows.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { goldens } from '../../../helpers/perturbation-goldens.ts'
import { inBatchesOf } from '../../../helpers/small-batches.ts'
import { TinyCnn, tinyFeed } from '../../../helpers/tiny-cnn.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

interface Golden {
  readonly window: number
  readonly stride: number
  readonly target: number
  readonly map: readonly number[]
}

describe('as Captum\u2019s Occlusion', () => {
  it.each(goldens('occlusion') as Golden[])(
    'window $window, stride $stride',
    async ({ window, stride, target, map }) => {
      const params = { window, stride, fill: 'black' }
      const found = await runImageMethod(occlusion, new TinyCnn(), { params, index: target })
      expect(relativeDifference(found.map.data, map)).toBeLessThan(1e-6)
    },
  )
})

test.each(['mean', 'blurred', 'noise'])(
  'filled with %s: a pixel scores what the model says without it',
  async (fill) => {
    const model = new TinyCnn()
    const { map } = await runImageMethod(occlusion, model, { params: { window: 1, fill } })
    const filled = await runImageMethod(occlusion, model, { params: { window: 6, fill } })
    const one = model.asked.at(-1)
    expect(one?.formulas?.shared?.['filling']?.dims).toEqual([1, 3, 6, 6])
    const filling = one?.formulas?.shared?.['filling']?.data ?? []
    const score = (picture: ArrayLike<number>): number => model.forward(picture)['logits']?.[0] ?? NaN
    const clean = tinyFeed().data
    const without = (pixel: number) => clean.map((value, at) => (at % 36 === pixel ? (filling[at] ?? NaN) : value))
    expect(map.data[7]).toBeCloseTo(score(clean) - score(without(7)), 4)
    expect(filled.map.data[0]).toBeCloseTo(score(clean) - score(filling), 4)
  },
)

test('noise is of the seed and lies within what the picture can hold', async () => {
  const noise = async (seed: number) => {
    const model = new TinyCnn()
    await runImageMethod(occlusion, model, { seed, params: { fill: 'noise' } })
    return model.asked.at(-1)?.formulas?.shared?.['filling']?.data ?? new Float32Array()
  }
  const [one, again, other] = [await noise(1), await noise(1), await noise(2)]
  expect(one).toEqual(again)
  expect(one).not.toEqual(other)
  expect(Math.min(...one)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...one)).toBeLessThanOrEqual(255)
  expect(Math.max(...one)).toBeGreaterThan(200)
})

test('the same bytes in batches of any size', async () => {
  const [whole, small] = [new TinyCnn(), inBatchesOf(3, new TinyCnn())]
  const params = { window: 2, stride: 1 }
  const expected = await runImageMethod(occlusion, whole, { params })
  expect(await runImageMethod(occlusion, small, { params })).toEqual(expected)
  expect(small.asked.length).toBeGreaterThan(whole.asked.length)
})

test('the cost is what is asked, where the sides are known', async () => {
  const model = inBatchesOf(1, new TinyCnn())
  const params = occlusion.params.parse({ window: 3, stride: 2 })
  await runImageMethod(occlusion, model, { params: { window: 3, stride: 2 } })
  const facts = { tap: null, classes: 3, tokens: 0, pixels: 36 }
  expect(occlusion.cost(params, { ...facts, sides: [6, 6] })).toBe(model.asked.length)
  expect(occlusion.cost(params, facts)).toBe(model.asked.length)
})

test('windows cover every pixel of any picture', () => {
  for (const [height, width] of [
    [224, 224],
    [5, 300],
    [1, 1],
    [7, 3],
  ] as const)
    // prettier-ignore
    for (const choice of [{ window: 'auto', stride: 'auto' }, { window: 3, stride: 9 }, { window: 500, stride: 1 }] as const) {
      const seen = new Uint8Array(height * width)
      for (const { spans } of windowsOver([height, width], windowSides([height, width], choice)))
        for (const [from, to] of spans(width)) seen.fill(1, from, to)
      expect(seen.every((one) => one === 1)).toBe(true)
    }
})
