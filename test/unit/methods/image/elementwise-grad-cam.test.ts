import { describe, expect, it } from 'vitest'
import { elementwiseGradCam } from '../../../../lib/methods/image/elementwise-grad-cam.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'
import { TINY_CASES, literalReading } from '../../../helpers/tiny-cnn-literal.ts'

describe('elementwise-grad-cam', () => {
  it.each(TINY_CASES)('equals its formula by the letter at $layer for class $index', async ({ layer, index }) => {
    const model = new TinyCnn()
    const { map } = await runImageMethod(elementwiseGradCam, model, { index, params: { layer } })
    const { activation, gradient } = literalReading(model, layer, index)
    map.data.forEach((value, i) => {
      const expected = activation.reduce(
        (sum, channel, k) => sum + Math.max(0, (channel[i] ?? NaN) * (gradient[k]?.[i] ?? NaN)),
        0,
      )
      expect(value).toBeCloseTo(expected, 5)
      expect(value).toBeGreaterThanOrEqual(0)
    })
  })
})
