import { describe, expect, it } from 'vitest'
import { eigenCam } from '../../../../lib/methods/image/eigen-cam.ts'
import { float32 } from '../../../../lib/tensor/tensor.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { literalPrincipal } from '../../../helpers/literal-principal.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'
import { TINY_CASES, literalReading } from '../../../helpers/tiny-cnn-literal.ts'

describe('eigen-cam', () => {
  it.each(
    TINY_CASES.filter(({ index }) => index === 0).flatMap((one) =>
      [true, false].map((centred) => ({ ...one, centred })),
    ),
  )(
    // prettier-ignore
    'is the first component of the cells at $layer, centred: $centred',
    async ({ layer, centred }) => {
      const model = new TinyCnn()
      const { map } = await runImageMethod(eigenCam, model, { params: { layer, centred } })
      const expected = literalPrincipal(literalReading(model, layer, 0).activation, centred)
      map.data.forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 4))
    },
  )

  it('goes with the mean activation, and says how well', async () => {
    const { diagnoses } = await runImageMethod(eigenCam, new TinyCnn(), { params: { layer: 'pool1' } })
    expect(diagnoses[0]).toMatchObject({ code: 'SIGN_ORIENTED', severity: 'info' })
    expect(diagnoses[0]?.message).toMatch(/holds \d+ %.*mean activation \(correlation 0\.\d\d\)/)
  })

  it('warns where it hardly does', async () => {
    // Red and green are opposites, so that the mean of all three is blue, which varies less.
    const data = Array.from({ length: 108 }, (_, at) => {
      const [channel, place] = [Math.floor(at / 36), at % 36]
      if (channel === 2) return 0.1 * Math.sin(place * 7)
      return (channel === 0 ? 1 : -1) * (place % 6)
    })
    const feeds = { input: float32(data, [1, 3, 6, 6]) }
    const { diagnoses } = await runImageMethod(eigenCam, new TinyCnn(), { feeds, params: { layer: 'input' } })
    expect(diagnoses[0]).toMatchObject({ code: 'SIGN_ORIENTED', severity: 'warning' })
  })

  it('needs no gradient', async () => {
    const model = new TinyCnn({ undifferentiable: { relu2: 'nothing here has a gradient' } })
    expect((await runImageMethod(eigenCam, model)).layer).toBe('relu2')
    expect(model.asked).toHaveLength(1)
  })

  it('a layer that is the same everywhere has no component', async () => {
    const { map, diagnoses } = await runImageMethod(eigenCam, new TinyCnn({ secondBias: -100 }))
    expect(map.data.every((value) => value === 0)).toBe(true)
    expect(diagnoses.map(({ code }) => code)).toEqual(['CONSTANT_MAP'])
  })
})
