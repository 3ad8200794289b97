import { describe, expect, it } from 'vitest'
import { hiresCam } from '../../../../lib/methods/image/hires-cam.ts'
import { gradCam } from '../../../../lib/methods/image/grad-cam.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'
import { TINY_CASES, literalReading } from '../../../helpers/tiny-cnn-literal.ts'

describe('hires-cam', () => {
  it.each(TINY_CASES)('equals the paper by the letter at $layer for class $index', async ({ layer, index }) => {
    const model = new TinyCnn()
    const { map } = await runImageMethod(hiresCam, model, { index, params: { layer } })
    const { activation, gradient } = literalReading(model, layer, index)
    map.data.forEach((value, i) => {
      const expected = activation.reduce((sum, channel, k) => sum + (channel[i] ?? NaN) * (gradient[k]?.[i] ?? NaN), 0)
      expect(value).toBeCloseTo(expected, 5)
    })
  })

  it('equals Grad-CAM in front of global average pooling, and not elsewhere', async () => {
    const maps = async (layer: string) => [
      await runImageMethod(hiresCam, new TinyCnn(), { params: { layer } }),
      await runImageMethod(gradCam, new TinyCnn(), { params: { layer } }),
    ]
    const [last, lastGradCam] = await maps('relu2')
    last?.map.data.forEach((value, at) => expect(value).toBeCloseTo(lastGradCam?.map.data[at] ?? NaN, 6))
    const [first, firstGradCam] = await maps('conv1')
    expect(Math.abs((first?.map.data[0] ?? NaN) - (firstGradCam?.map.data[0] ?? NaN))).toBeGreaterThan(1e-3)
  })
})
