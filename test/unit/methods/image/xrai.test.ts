import { describe, expect, it, test } from 'vitest'
import { integratedGradients } from '../../../../lib/methods/image/integrated-gradients.ts'
import { sizesFor, xraiMap, xraiMasks } from '../../../../lib/methods/image/shared/xrai-regions.ts'
import { xrai } from '../../../../lib/methods/image/xrai.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { goldens } from '../../../helpers/perturbation-goldens.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

interface Golden {
  readonly sample: string
  readonly height: number
  readonly width: number
  readonly least: number
  readonly dilation: number
  readonly added: number
  readonly rgb: string
  readonly masks: number
  readonly attribution: readonly number[]
  readonly map: readonly number[]
}

describe('as a literal loop over scikit-image\u2019s segments', () => {
  it.each(goldens('xrai') as Golden[])('$sample, dilated by $dilation', (golden) => {
    const masks = xraiMasks(Buffer.from(golden.rgb, 'base64'), golden.height, golden.width, golden)
    expect(masks).toHaveLength(golden.masks)
    const map = xraiMap(golden.attribution, masks, golden.added)
    expect(relativeDifference(map, golden.map)).toBeLessThan(1e-6)
  })
})

test('regions that overlap are paid for once, and the rest has its own mean', () => {
  const attribution = [4, 4, 1, 1, 0, 2]
  const masks = [Uint8Array.of(0, 1, 1, 0, 0, 0), Uint8Array.of(1, 1, 0, 0, 0, 0), Uint8Array.of(0, 0, 1, 1, 0, 0)]
  // The second has 4 a pixel; then the first adds one pixel of 1, the third two.
  expect([...xraiMap(attribution, masks, 2)]).toEqual([4, 4, 1, 1, 1, 1])
  expect([...xraiMap(attribution, masks, 1)]).toEqual([4, 4, 1, 1, 1, 1])
  expect([...xraiMap(attribution, masks.slice(0, 1), 1)]).toEqual([7 / 4, 2.5, 2.5, 7 / 4, 7 / 4, 7 / 4])
})

test('sizes go with the picture', () => {
  expect(sizesFor(224, 224)).toEqual({ least: 150, dilation: 5, added: 50 })
  expect(sizesFor(6, 6)).toEqual({ least: 1, dilation: 0, added: 1 })
})

test('gathers the integrated gradients of two baselines', async () => {
  const params = { steps: 20 }
  const maps = await Promise.all(
    ['black', 'white'].map((baseline) =>
      runImageMethod(integratedGradients, new TinyCnn(), { params: { ...params, baseline } }),
    ),
  )
  const mean = (maps[0]?.map.data ?? new Float32Array()).map((one, at) => (one + (maps[1]?.map.data[at] ?? NaN)) / 2)
  const { map } = await runImageMethod(xrai, new TinyCnn(), { params })
  // Each region has the mean of the pixels that it added: values are means of some of them, and their sum is the same.
  expect(map.data.reduce((sum, one) => sum + one, 0)).toBeCloseTo(
    mean.reduce((sum, one) => sum + one, 0),
    3,
  )
  expect(Math.max(...map.data)).toBeLessThanOrEqual(Math.max(...mean) + 1e-6)
})
