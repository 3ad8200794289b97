import { describe, expect, it } from 'vitest'
import { fullGrad } from '../../../../lib/methods/image/full-grad.ts'
import { upsampleBilinear } from '../../../../lib/render/upsample.ts'
import { float32 } from '../../../../lib/tensor/tensor.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'
import { literalReading, TINY_SHAPES } from '../../../helpers/tiny-cnn-literal.ts'

/** psi of equation 7: the size of each channel's part, brought to 0..1, enlarged; added up over the channels. */
function psi(parts: readonly (readonly number[])[], side: number): number[] {
  const maps = parts.map((part) => {
    const sizes = part.map(Math.abs)
    const [least, most] = [Math.min(...sizes), Math.max(...sizes)]
    const scaled = sizes.map((one) => (most - least > 1e-6 * most ? (one - least) / (most - least) : 0))
    return upsampleBilinear(float32(scaled, [side, side]), 6, 6).data
  })
  return Array.from({ length: 36 }, (_, at) => maps.reduce((sum, map) => sum + (map[at] ?? NaN), 0))
}

describe('full-grad', () => {
  it.each([0, 1, 2])('equals the paper by the letter for class %i', async (index) => {
    const model = new TinyCnn()
    const { map } = await runImageMethod(fullGrad, model, { index })
    const { activation, gradient } = literalReading(model, 'input', index)
    const ofInput = psi(
      activation.map((channel, k) => channel.map((x, i) => x * (gradient[k]?.[i] ?? NaN))),
      6,
    )
    const ofBiases = (['conv1', 'conv2'] as const).map((layer) => {
      const slopes = literalReading(model, layer, index).gradient
      const parts = slopes.map((channel, k) => channel.map((g) => g * (model.biases[layer][k] ?? NaN)))
      return psi(parts, TINY_SHAPES[layer][1])
    })
    map.data.forEach((value, at) => {
      const expected = [ofInput, ...ofBiases].reduce((sum, part) => sum + (part[at] ?? NaN), 0)
      expect(value).toBeCloseTo(expected, 4)
    })
  })

  it('says so where no layer is known to add a bias', async () => {
    const model = new TinyCnn()
    model.layerBiases = () => Promise.resolve([])
    const { diagnoses, map } = await runImageMethod(fullGrad, model)
    expect(diagnoses.map(({ code }) => code)).toEqual(['NO_BIASES'])
    expect(Math.max(...map.data)).toBeGreaterThan(0)
  })

  it('asks one question', async () => {
    const model = new TinyCnn()
    await runImageMethod(fullGrad, model)
    expect(model.asked).toHaveLength(1)
  })
})
