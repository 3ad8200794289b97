import { describe, expect, it } from 'vitest'
import { gradCam } from '../../../../lib/methods/image/grad-cam.ts'
import { squareGrad } from '../../../../lib/methods/image/square-grad.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

describe('square-grad', () => {
  const { equals, run } = pixelGoldens()
  equals(squareGrad, 'square-grad', { samples: 6, noise: 0.1 })

  it('without noise is the square of the method itself', async () => {
    const { map } = await run(squareGrad, { of: 'grad-cam', noise: 0, samples: 2 })
    const { map: itself } = await run(gradCam, {})
    const squares = itself.data.map((one) => one * one)
    expect(relativeDifference(map.data, squares)).toBeLessThan(1e-5)
  })
})
