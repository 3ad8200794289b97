import { describe, expect, it } from 'vitest'
import { blurIg } from '../../../../lib/methods/image/blur-ig.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'

describe('blur-ig', () => {
  const { equals, run, differences } = pixelGoldens()
  equals(blurIg, 'blur-ig', { steps: 24 })

  it("is the authors' code's, brought to the same edges and many steps", () => {
    expect(differences['blur-ig-peer']).toBeLessThan(1e-3)
  })

  it('auto adds up to within 1 %, from wide blurs and narrow ones', async () => {
    for (const widest of [0.02, 0.1, 0.4]) {
      const { completeness, diagnoses } = await run(blurIg, { widest })
      expect(Math.abs(completeness?.expected ?? 0)).toBeGreaterThan(1e-4)
      expect(completeness?.error).toBeLessThanOrEqual(0.01)
      expect(diagnoses.map(({ code }) => code)).not.toContain('COMPLETENESS')
    }
  })
})
