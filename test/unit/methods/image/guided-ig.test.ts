import { describe, expect, it } from 'vitest'
import { guidedIg } from '../../../../lib/methods/image/guided-ig.ts'
import { integratedGradients } from '../../../../lib/methods/image/integrated-gradients.ts'
import { zeros } from '../../../../lib/tensor/tensor.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

describe('guided-ig', () => {
  const { equals, run } = pixelGoldens()
  equals(guidedIg, 'guided-ig', { baseline: 'blurred', steps: 20, fraction: 0.25, band: 0.05 })

  it('within no band is integrated gradients by the left rule', async () => {
    const guided = await run(guidedIg, { steps: 20, band: 0 })
    const straight = await run(integratedGradients, { steps: 20, rule: 'left' })
    expect(relativeDifference(guided.map.data, straight.map.data)).toBeLessThan(1e-4)
  })

  it('adds up the better, the more steps, and says where it does not', async () => {
    const [few, many] = [
      await run(guidedIg, { baseline: 'white', steps: 3 }),
      await run(guidedIg, { baseline: 'white', steps: 100 }),
    ]
    expect(many.completeness?.error).toBeLessThan(few.completeness?.error ?? NaN)
    expect(many.completeness?.error).toBeLessThan(0.01)
    expect(many.diagnoses.map(({ code }) => code)).not.toContain('COMPLETENESS')
    expect(few.diagnoses.map(({ code }) => code)).toContain('COMPLETENESS')
  })

  it('a picture that is its baseline scores nothing', async () => {
    const { map, diagnoses } = await runImageMethod(guidedIg, new TinyCnn(), {
      feeds: { input: zeros([1, 3, 6, 6]) },
    })
    expect(map.data.every((one) => one === 0)).toBe(true)
    expect(diagnoses.map(({ code }) => code)).toEqual(['SAME_AS_BASELINE'])
  })
})
