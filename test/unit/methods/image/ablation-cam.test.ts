import { describe, expect, it } from 'vitest'
import { ablationCam } from '../../../../lib/methods/image/ablation-cam.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { TinyCnn, tinyFeed } from '../../../helpers/tiny-cnn.ts'
import { TINY_CASES, TINY_SHAPES } from '../../../helpers/tiny-cnn-literal.ts'

describe('ablation-cam', () => {
  it.each(TINY_CASES)('equals the paper by the letter at $layer for class $index', async ({ layer, index }) => {
    const model = new TinyCnn()
    const { map, logits } = await runImageMethod(ablationCam, model, { index, params: { layer } })
    const [channels, height, width] = TINY_SHAPES[layer]
    const area = height * width
    const values = model.forward(tinyFeed().data)[layer] ?? []
    const score = logits.data[index] ?? NaN
    const weights = Array.from({ length: channels }, (_, k) => {
      const without = values.map((value, at) => (Math.floor(at / area) === k ? 0 : value))
      const left = model.forwardFrom(layer, without)['logits']?.[index] ?? NaN
      return (score - left) / Math.abs(score)
    })
    map.data.forEach((value, i) => {
      const expected = weights.reduce((sum, weight, k) => sum + weight * (values[k * area + i] ?? NaN), 0)
      expect(value / Math.max(1, Math.abs(expected))).toBeCloseTo(expected / Math.max(1, Math.abs(expected)), 4)
    })
  })

  it('a score that is not positive is pointed out, and the map is not turned upside down', async () => {
    const [above, below] = await Promise.all(
      [20, -20].map((bias) => runImageMethod(ablationCam, new TinyCnn({ headBias: [bias, 0, 0] }))),
    )
    expect(above?.diagnoses.map(({ code }) => code)).not.toContain('NON_POSITIVE_SCORE')
    expect(below?.diagnoses[0]).toMatchObject({ code: 'NON_POSITIVE_SCORE', severity: 'info' })
    const [positive, negative] = [above?.logits.data[0] ?? NaN, below?.logits.data[0] ?? NaN]
    above?.map.data.forEach((value, at) =>
      expect((below?.map.data[at] ?? NaN) * -negative).toBeCloseTo(value * positive, 3),
    )
  })

  it('runs only what lies behind the layer, without a gradient', async () => {
    const model = new TinyCnn({ undifferentiable: { relu2: 'nothing here has a gradient' } })
    await runImageMethod(ablationCam, model)
    expect(model.asked.every(({ gradient }) => gradient === undefined)).toBe(true)
    expect(model.asked.slice(1).map(({ formulas }) => Object.keys(formulas?.inputs ?? {}))).toEqual([['relu2']])
  })
})
