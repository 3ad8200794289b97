import { describe, expect, it } from 'vitest'
import { blurIg } from '../../../../lib/methods/image/blur-ig.ts'
import { idgi } from '../../../../lib/methods/image/idgi.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'

describe('idgi', () => {
  const { equals, run } = pixelGoldens()
  equals(idgi, 'idgi', { steps: 16 })

  it.each(['straight', 'blur'])('adds up by construction on the %s path', async (path) => {
    const { completeness } = await run(idgi, { path, steps: 5 })
    expect(completeness?.error).toBeLessThan(1e-5)
  })

  it('from the blur compares with what Blur IG compares with', async () => {
    const [shares, blur] = [await run(idgi, { path: 'blur', steps: 3 }), await run(blurIg, {})]
    expect(shares.completeness?.expected).toBeCloseTo(blur.completeness?.expected ?? NaN, 5)
  })
})
