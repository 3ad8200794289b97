import { describe, expect, it } from 'vitest'
import { loadOnnxModel } from '../../../../lib/engine/onnx/model/load.ts'
import { guidedBackprop } from '../../../../lib/methods/image/guided-backprop.ts'
import { notRectified } from '../../../../lib/methods/image/shared/rectified.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'

describe('guided-backprop', () => {
  const { equals } = pixelGoldens()
  equals(guidedBackprop, 'guided-backprop')

  it.each([
    ['resnet', null],
    ['mobilenet-v2', null], // ReLU6 is a rectifier
    ['mobilenet-v3', /^\d+ of the \d+ activations .*HardS/],
    ['convnext', /^This network has no rectifier \(its activations are Gelu\)/],
  ])('says what the rules leave as it is: %s', async (network, expected) => {
    const model = await loadOnnxModel(`test/fixtures/networks/${network}.onnx`, { threads: 1 })
    const said = notRectified(model)
    if (expected === null) expect(said).toEqual([])
    else expect(said).toMatchObject([{ code: 'NOT_RECTIFIED', message: expect.stringMatching(expected) }])
    await model.dispose()
  })
})
