import { describe, expect, it } from 'vitest'
import { cam } from '../../../../lib/methods/image/cam.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { TinyCnn, tinyFeed } from '../../../helpers/tiny-cnn.ts'

describe('cam', () => {
  it.each([0, 1, 2])('equals the paper by the letter for class %i', async (index) => {
    const model = new TinyCnn()
    const { map } = await runImageMethod(cam, model, { index })
    const activation = model.forward(tinyFeed().data)['relu2'] ?? []
    for (let position = 0; position < 9; position++) {
      let expected = 0
      for (let k = 0; k < 5; k++)
        expected += (model.weights.head[index]?.[k] ?? NaN) * (activation[k * 9 + position] ?? NaN)
      expect(map.data[position]).toBeCloseTo(expected, 5)
    }
  })

  it('its mean plus the bias of the head is the logit', async () => {
    const model = new TinyCnn()
    for (const index of [0, 1, 2]) {
      const { map, logits } = await runImageMethod(cam, model, { index })
      const mean = map.data.reduce((total, value) => total + value, 0) / 9
      expect(mean + (model.biases.head[index] ?? NaN)).toBeCloseTo(logits.data[index] ?? NaN, 5)
    }
  })

  it('asks one question, without a gradient', async () => {
    const model = new TinyCnn({ undifferentiable: { relu2: 'nothing here has a gradient' } })
    await runImageMethod(cam, model)
    expect(model.asked).toHaveLength(1)
    expect(model.asked[0]?.gradient).toBeUndefined()
  })

  it('takes the layer in front of the pooling where the default is another', async () => {
    const { layer } = await runImageMethod(cam, new TinyCnn({ defaultTap: 'conv1' }))
    expect(layer).toBe('relu2')
  })

  it('at another layer it says which one it needs', async () => {
    await expect(runImageMethod(cam, new TinyCnn(), { params: { layer: 'conv1' } })).rejects.toMatchObject({
      code: 'METHOD_UNAVAILABLE',
      userMessage: expect.stringMatching(/only at the layer in front of the global average pooling: relu2.*Grad-CAM/),
    })
  })

  it('for another head it says what it needs', async () => {
    await expect(runImageMethod(cam, new TinyCnn({ linearHead: false }))).rejects.toMatchObject({
      code: 'METHOD_UNAVAILABLE',
      userMessage: expect.stringMatching(/needs a network that ends in global average pooling.*Use Grad-CAM/),
    })
  })
})
