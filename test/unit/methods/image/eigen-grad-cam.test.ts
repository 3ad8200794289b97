import { describe, expect, it } from 'vitest'
import { eigenGradCam } from '../../../../lib/methods/image/eigen-grad-cam.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { literalPrincipal } from '../../../helpers/literal-principal.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'
import { TINY_CASES, literalReading } from '../../../helpers/tiny-cnn-literal.ts'

describe('eigen-grad-cam', () => {
  it.each(TINY_CASES)(
    'is the first component of gradient times activation at $layer for class $index',
    async ({ layer, index }) => {
      const model = new TinyCnn()
      const { map, diagnoses } = await runImageMethod(eigenGradCam, model, { index, params: { layer } })
      const { activation, gradient } = literalReading(model, layer, index)
      const products = activation.map((channel, k) => channel.map((a, i) => a * (gradient[k]?.[i] ?? NaN)))
      const expected = literalPrincipal(products)
      map.data.forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 4))
      expect(diagnoses[0]?.code).toBe('SIGN_ORIENTED')
    },
  )

  it('asks one question', async () => {
    const model = new TinyCnn()
    await runImageMethod(eigenGradCam, model)
    expect(model.asked).toHaveLength(1)
  })
})
