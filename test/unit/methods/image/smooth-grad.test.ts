import { describe, expect, it } from 'vitest'
import { gradCam } from '../../../../lib/methods/image/grad-cam.ts'
import { gradient } from '../../../../lib/methods/image/gradient.ts'
import { deepLift } from '../../../../lib/methods/image/deep-lift.ts'
import { guidedBackprop } from '../../../../lib/methods/image/guided-backprop.ts'
import { inputXGradient } from '../../../../lib/methods/image/input-x-gradient.ts'
import { lrp } from '../../../../lib/methods/image/lrp.ts'
import { smoothGrad } from '../../../../lib/methods/image/smooth-grad.ts'
import { METHODS } from '../../../../lib/methods/index.ts'
import { noisyRows } from '../../../../lib/methods/shared/noise-rows.ts'
import { float32 } from '../../../../lib/tensor/tensor.ts'
import { TinyCnn, tinyFeed } from '../../../helpers/tiny-cnn.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

describe('smooth-grad', () => {
  const { equals, run } = pixelGoldens()
  equals(smoothGrad, 'smooth-grad', { samples: 6, noise: 0.1 })

  it.each([gradient, inputXGradient, guidedBackprop, deepLift, lrp, gradCam])(
    'without noise is $id itself, its rules and its layer too',
    async (method) => {
      const [still, alone] = [await run(smoothGrad, { of: method.id, samples: 2, noise: 0 }), await run(method, {})]
      expect(still.layer).toBe(alone.layer)
      expect(still.map.dims).toEqual(alone.map.dims)
      expect(relativeDifference(still.map.data, alone.map.data)).toBeLessThan(1e-5)
    },
  )

  it('of Grad-CAM is the mean of Grad-CAMs of noisy pictures, one by one', async () => {
    const params = { of: 'grad-cam', samples: 11, noise: 0.002 }
    const { map, layer } = await runImageMethod(smoothGrad, new TinyCnn(), { params, seed: 3 })
    const { perRow } = noisyRows('input', tinyFeed(), 11, { deviation: 0.002 * 255, seed: 3, purpose: 'noise' })
    const sum = new Float64Array(map.data.length)
    for (let sample = 0; sample < 11; sample += 1) {
      const noise = perRow({ first: sample, count: 1 })['noise']?.data ?? []
      const noisy = tinyFeed().data.map((one, at) => one + (noise[at] ?? NaN))
      const one = await runImageMethod(gradCam, new TinyCnn(), { feeds: { input: float32(noisy, [1, 3, 6, 6]) } })
      one.map.data.forEach((value, at) => (sum[at] = (sum[at] ?? NaN) + value / 11))
    }
    expect(layer).toBe('relu2')
    expect(relativeDifference(map.data, sum)).toBeLessThan(1e-5)
  })

  it('takes every method that reads a gradient once and whose map is a formula of it', () => {
    // Eigen-CAMs decompose behind the graph; Finer-CAM's target is made of the scores of the picture.
    const others = ['eigen-cam', 'eigen-grad-cam', 'finer-cam']
    const reading = METHODS.filter((method) => method.modality === 'image' && 'reading' in method)
    for (const { id } of reading) expect(smoothGrad.params.safeParse({ of: id }).success, id).toBe(!others.includes(id))
  })

  it('says what the rules of the method leave as it is', async () => {
    const model = new TinyCnn()
    const taps = model.taps.map((tap) => (tap.id === 'relu2' ? { ...tap, operator: 'HardSwish' } : tap))
    const swished = Object.assign(model, { taps })
    const said = async (of: string) =>
      (await runImageMethod(smoothGrad, swished, { params: { of, samples: 2 } })).diagnoses.map(({ code }) => code)
    expect(await said('guided-backprop')).toContain('NOT_RECTIFIED')
    expect(await said('gradient')).not.toContain('NOT_RECTIFIED')
  })

  it('absolute values are taken of the mean, not averaged', async () => {
    const noisy = { samples: 6, noise: 0.3 }
    const [signed, absolute] = [await run(smoothGrad, noisy), await run(smoothGrad, { ...noisy, view: 'absolute' })]
    signed.map.data.forEach((one, at) =>
      expect(Math.abs(one)).toBeLessThanOrEqual((absolute.map.data[at] ?? NaN) + 1e-6),
    )
    expect(absolute.map.data).not.toEqual(signed.map.data.map(Math.abs))
  })

  it('another seed is other noise', async () => {
    const noisy = { samples: 3, noise: 0.3 }
    const [one, again, other] = [
      await run(smoothGrad, noisy, 1),
      await run(smoothGrad, noisy, 1),
      await run(smoothGrad, noisy, 2),
    ]
    expect(again).toEqual(one)
    expect(other.map.data).not.toEqual(one.map.data)
  })

  it('a method that the model cannot answer is refused with its reason', async () => {
    const model = new TinyCnn()
    const without = Object.assign(model, { ruleSets: model.ruleSets.filter(({ id }) => id !== 'lrp') })
    await expect(runImageMethod(smoothGrad, without, { params: { of: 'lrp' } })).rejects.toMatchObject({
      code: 'METHOD_UNAVAILABLE',
      userMessage: expect.stringMatching(/LRP cannot explain .*backward rules "lrp"/),
    })
    expect(smoothGrad.params.safeParse({ of: 'cam' }).success).toBe(false)
  })
})
