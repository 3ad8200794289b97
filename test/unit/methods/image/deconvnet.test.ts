import { describe, expect, it } from 'vitest'
import { deconvnet } from '../../../../lib/methods/image/deconvnet.ts'
import { gradient } from '../../../../lib/methods/image/gradient.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'

describe('deconvnet', () => {
  const { equals, run } = pixelGoldens()
  equals(deconvnet, 'deconvnet')

  it('is another map than the gradient', async () => {
    const [bent, plain] = [await run(deconvnet, {}), await run(gradient, {})]
    expect(bent.map.data).not.toEqual(plain.map.data)
  })
})
