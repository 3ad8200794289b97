import { describe, expect, it } from 'vitest'
import { integratedGradients } from '../../../../lib/methods/image/integrated-gradients.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'
import { zeros } from '../../../../lib/tensor/tensor.ts'

describe('integrated-gradients of pictures', () => {
  const { equals, run } = pixelGoldens()
  equals(integratedGradients, 'integrated-gradients gauss-legendre', { steps: 24 })
  equals(integratedGradients, 'integrated-gradients midpoint', { steps: 24, rule: 'midpoint' })

  it.each(['white', 'blurred', 'mean', 'random', 'several'])(
    'auto adds up to within 1 %% from %s, and few steps say that they do not',
    async (baseline) => {
      const { map, completeness, diagnoses } = await run(integratedGradients, { baseline, randomBaselines: 2 })
      expect(completeness?.error).toBeLessThanOrEqual(0.01)
      expect(completeness?.sum).toBeCloseTo(
        map.data.reduce((sum, one) => sum + one, 0),
        5,
      )
      expect(diagnoses.map(({ code }) => code)).not.toContain('COMPLETENESS')
      const few = await run(integratedGradients, { baseline, randomBaselines: 2, steps: 1, rule: 'left' })
      expect(few.completeness?.expected).toBeCloseTo(completeness?.expected ?? NaN, 4)
      expect(few.diagnoses.find(({ code }) => code === 'COMPLETENESS')?.message).toMatch(/the picture and its baseline/)
    },
  )

  it('what cannot be brought under 1 % in 257 points is said', async () => {
    const { completeness, diagnoses } = await run(integratedGradients, {})
    expect(Math.abs((completeness?.sum ?? NaN) - (completeness?.expected ?? NaN))).toBeLessThan(1e-3)
    expect(completeness?.points).toBe(257)
    expect(diagnoses[0]?.message).toMatch(
      /^The scores add up to 0.03080; the picture and its baseline differ by 0.03141/,
    )
  })

  it('several is the mean over black, blurred and mean', async () => {
    const steps = { steps: 6 }
    const parts = await Promise.all(
      ['black', 'blurred', 'mean'].map((baseline) => run(integratedGradients, { baseline, ...steps })),
    )
    const { map, completeness } = await run(integratedGradients, { baseline: 'several', ...steps })
    const mean = map.data.map((_, at) => parts.reduce((sum, one) => sum + (one.map.data[at] ?? NaN), 0) / 3)
    expect(relativeDifference(map.data, mean)).toBeLessThan(1e-6)
    expect(completeness?.points).toBe(18)
  })

  it('random baselines are others with another seed, the same with the same', async () => {
    const random = { baseline: 'random', randomBaselines: 1, steps: 3 }
    const [one, again, other] = [
      await run(integratedGradients, random, 1),
      await run(integratedGradients, random, 1),
      await run(integratedGradients, random, 2),
    ]
    expect(again).toEqual(one)
    expect(other.map.data).not.toEqual(one.map.data)
  })

  it('a picture that is its baseline is said to be so', async () => {
    const { map, diagnoses } = await runImageMethod(integratedGradients, new TinyCnn(), {
      feeds: { input: zeros([1, 3, 6, 6]) },
    })
    expect(map.data.every((one) => one === 0)).toBe(true)
    expect(diagnoses.map(({ code }) => code)).toEqual(['SAME_AS_BASELINE'])
  })

  it('refuses a trapezoid of one step', () => {
    expect(integratedGradients.params.safeParse({ steps: 1, rule: 'trapezoid' }).success).toBe(false)
  })
})
