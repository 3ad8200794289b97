import { describe, expect, it } from 'vitest'
import { gradCam } from '../../../../lib/methods/image/grad-cam.ts'
import { guidedGradCam } from '../../../../lib/methods/image/guided-grad-cam.ts'
import { upsampleBilinear } from '../../../../lib/render/upsample.ts'
import { classTarget } from '../../../../lib/target/target.ts'
import { stateScalar } from '../../../../lib/target/scalar.ts'
import { imageContext, runImageMethod } from '../../../helpers/image-context.ts'
import { TinyCnn, tinyFeed } from '../../../helpers/tiny-cnn.ts'

describe('guided-grad-cam', () => {
  it.each(['relu1', 'relu2'])('is guided backpropagation where Grad-CAM at %s is positive', async (layer) => {
    const model = new TinyCnn()
    const { map } = await runImageMethod(guidedGradCam, model, { params: { layer } })
    const cam = (await runImageMethod(gradCam, new TinyCnn(), { params: { layer } })).map
    const { head } = await imageContext(model, { of: gradCam, params: { layer } })
    const { gradients } = await model.ask({
      feeds: { input: tinyFeed() },
      read: [],
      gradient: { ...stateScalar(classTarget(0), head), wrt: ['input'], rules: { id: 'guided-relu' } },
    })
    const where = upsampleBilinear({ ...cam, data: cam.data.map((one) => Math.max(0, one)) }, 6, 6).data
    const guided = gradients['input']?.data ?? []
    map.data.forEach((value, at) => {
      const colours = [0, 1, 2].reduce((sum, channel) => sum + (guided[channel * 36 + at] ?? NaN), 0)
      expect(value).toBeCloseTo((where[at] ?? NaN) * colours, 5)
    })
    expect(map.data.some((one) => one !== 0)).toBe(true)
  })

  it('is empty where Grad-CAM speaks only against the class, and says that', async () => {
    const headWeights = [-1, -1, 1].map((sign) => Array<number>(5).fill(sign))
    const model = new TinyCnn({ secondBias: 5, headWeights })
    const { map, diagnoses } = await runImageMethod(guidedGradCam, model, { index: 0 })
    expect(map.data.every((value) => value === 0)).toBe(true)
    expect(diagnoses.map(({ code }) => code)).toContain('ZERO_GRADIENT')
    const mixed = new TinyCnn({
      secondBias: 5,
      headWeights: [
        [-1, -1, -1, -1, 0.01],
        [1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1],
      ],
    })
    const against = await runImageMethod(guidedGradCam, mixed, { index: 0 })
    expect(against.map.data.every((value) => value === 0)).toBe(true)
    expect(against.diagnoses.map(({ code }) => code)).toEqual(expect.arrayContaining(['ALL_NEGATIVE']))
  })

  it('is refused where the engine cannot bend the backward pass', async () => {
    const model = new TinyCnn()
    const plain = Object.assign(Object.create(model) as TinyCnn, { ruleSets: model.ruleSets.slice(0, 1) })
    await expect(runImageMethod(guidedGradCam, plain)).rejects.toMatchObject({ code: 'METHOD_UNAVAILABLE' })
  })
})
