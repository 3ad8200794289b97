import { describe, expect, it } from 'vitest'
import { layerCam } from '../../../../lib/methods/image/layer-cam.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'
import { TINY_CASES, literalReading } from '../../../helpers/tiny-cnn-literal.ts'

describe('layer-cam', () => {
  it.each(TINY_CASES)('equals the paper by the letter at $layer for class $index', async ({ layer, index }) => {
    const model = new TinyCnn()
    const { map } = await runImageMethod(layerCam, model, { index, params: { layer } })
    const { activation, gradient } = literalReading(model, layer, index)
    map.data.forEach((value, i) => {
      const expected = activation.reduce(
        (sum, channel, k) => sum + (channel[i] ?? NaN) * Math.max(0, gradient[k]?.[i] ?? NaN),
        0,
      )
      expect(value).toBeCloseTo(expected, 5)
    })
  })

  it('is nowhere negative at a layer behind a ReLU', async () => {
    for (const index of [0, 1, 2]) {
      const { map } = await runImageMethod(layerCam, new TinyCnn(), { index, params: { layer: 'relu1' } })
      expect(map.data.every((value) => value >= 0)).toBe(true)
    }
  })
})
