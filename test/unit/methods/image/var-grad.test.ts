import { describe, expect, it } from 'vitest'
import { varGrad } from '../../../../lib/methods/image/var-grad.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'

describe('var-grad', () => {
  const { equals } = pixelGoldens()
  equals(varGrad, 'var-grad', { samples: 6, noise: 0.1 })

  it('of a linear model is 0 everywhere', async () => {
    const linear = new TinyCnn({ firstBias: 1e4, secondBias: 1e6 })
    const { map, diagnoses } = await runImageMethod(varGrad, linear, { params: { samples: 5 } })
    expect(map.data.every((one) => one === 0)).toBe(true)
    expect(diagnoses.map(({ code }) => code)).toContain('CONSTANT_MAP')
  })
})
