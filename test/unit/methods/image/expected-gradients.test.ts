import { describe, expect, it } from 'vitest'
import { expectedGradients } from '../../../../lib/methods/image/expected-gradients.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'

describe('expected-gradients', () => {
  const { equals, run } = pixelGoldens()
  equals(expectedGradients, 'expected-gradients', { samples: 6 })

  it.each(['colours', 'pixels', 'several', 'black'])(
    'comes closer to adding up with more samples, from %s',
    async (baselines) => {
      const errorOf = async (samples: number): Promise<number> => {
        const { completeness } = await run(expectedGradients, { baselines, samples })
        return Math.abs((completeness?.sum ?? NaN) - (completeness?.expected ?? NaN))
      }
      expect(await errorOf(600)).toBeLessThan(0.15)
      expect((await run(expectedGradients, { baselines, samples: 4 })).map.data).not.toEqual(
        (await run(expectedGradients, { baselines, samples: 5 })).map.data,
      )
    },
  )

  it('from black alone its mean is integrated gradients', async () => {
    const { integratedGradients } = await import('../../../../lib/methods/image/integrated-gradients.ts')
    const [many, exact] = [
      await run(expectedGradients, { baselines: 'black', samples: 800 }),
      await run(integratedGradients, {}),
    ]
    const largest = Math.max(...exact.map.data.map(Math.abs))
    many.map.data.forEach((one, at) => expect(Math.abs(one - (exact.map.data[at] ?? NaN))).toBeLessThan(0.1 * largest))
  })
})
