import { describe, expect, it } from 'vitest'
import { gradCamPlusPlus } from '../../../../lib/methods/image/grad-cam-plus-plus.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'
import { TINY_CASES, literalReading } from '../../../helpers/tiny-cnn-literal.ts'

describe('grad-cam-plus-plus', () => {
  it.each(TINY_CASES)('equals the paper by the letter at $layer for class $index', async ({ layer, index }) => {
    const model = new TinyCnn()
    const { map } = await runImageMethod(gradCamPlusPlus, model, { index, params: { layer } })
    const { activation, gradient } = literalReading(model, layer, index)
    const weights = activation.map((channel, k) => {
      const total = channel.reduce((sum, a) => sum + a, 0)
      return (gradient[k] ?? []).reduce((sum, g) => {
        const alpha = Math.abs(g) < 1e-9 ? 0 : g ** 2 / (2 * g ** 2 + total * g ** 3)
        return sum + alpha * Math.max(0, g)
      }, 0)
    })
    map.data.forEach((value, i) => {
      const expected = activation.reduce((sum, channel, k) => sum + (weights[k] ?? NaN) * (channel[i] ?? NaN), 0)
      expect(value / Math.max(1, Math.abs(expected))).toBeCloseTo(expected / Math.max(1, Math.abs(expected)), 5)
    })
  })
})
