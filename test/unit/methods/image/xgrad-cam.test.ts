import { describe, expect, it } from 'vitest'
import { xgradCam } from '../../../../lib/methods/image/xgrad-cam.ts'
import { float32 } from '../../../../lib/tensor/tensor.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'
import { TINY_CASES, literalReading } from '../../../helpers/tiny-cnn-literal.ts'

const total = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0)

describe('xgrad-cam', () => {
  it.each(TINY_CASES)('equals the paper by the letter at $layer for class $index', async ({ layer, index }) => {
    const model = new TinyCnn()
    const { map } = await runImageMethod(xgradCam, model, { index, params: { layer } })
    const { activation, gradient } = literalReading(model, layer, index)
    const weights = activation.map((channel, k) => {
      const sum = total(channel)
      return sum === 0 ? 0 : total(channel.map((a, i) => (a / sum) * (gradient[k]?.[i] ?? NaN)))
    })
    map.data.forEach((value, i) =>
      expect(value).toBeCloseTo(total(activation.map((channel, k) => (weights[k] ?? NaN) * (channel[i] ?? NaN))), 4),
    )
  })

  it('adds up to gradient times activation', async () => {
    const model = new TinyCnn()
    const { map } = await runImageMethod(xgradCam, model, { index: 1, params: { layer: 'pool1' } })
    const { activation, gradient } = literalReading(model, 'pool1', 1)
    const product = total(activation.flatMap((channel, k) => channel.map((a, i) => a * (gradient[k]?.[i] ?? NaN))))
    expect(total([...map.data])).toBeCloseTo(product, 4)
  })

  it('a channel whose values cancel is left out, and said to be', async () => {
    // Red is 1 on the left and -1 on the right; green and blue are 1.
    const data = Array.from({ length: 108 }, (_, at) => (at < 36 && at % 6 > 2 ? -1 : 1))
    const feeds = { input: float32(data, [1, 3, 6, 6]) }
    const { map, diagnoses } = await runImageMethod(xgradCam, new TinyCnn(), { feeds, params: { layer: 'input' } })
    expect(diagnoses[0]).toMatchObject({ code: 'CANCELLING_CHANNELS', severity: 'warning' })
    expect(diagnoses[0]?.message).toMatch(/^In 1 channel of this layer/)
    expect(Math.max(...map.data.map(Math.abs))).toBeLessThan(10)
    // What is left are two constant channels.
    expect(new Set(map.data).size).toBe(1)
  })

  it('a channel that is zero everywhere is no matter', async () => {
    const { diagnoses } = await runImageMethod(xgradCam, new TinyCnn({ secondBias: -100 }))
    expect(diagnoses.map(({ code }) => code)).toEqual(['CONSTANT_MAP'])
  })
})
