import { describe, expect, it } from 'vitest'
import { gradientShap } from '../../../../lib/methods/image/gradient-shap.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'

describe('gradient-shap of pictures', () => {
  const { equals, run } = pixelGoldens()
  equals(gradientShap, 'gradient-shap', { samples: 6, noise: 0.1 })

  it('states how far it is from adding up', async () => {
    const { map, completeness } = await run(gradientShap, { samples: 6, noise: 0.1 })
    expect(completeness?.sum).toBeCloseTo(
      map.data.reduce((sum, one) => sum + one, 0),
      5,
    )
    expect(completeness?.points).toBe(6)
  })
})
