import { describe, expect, it } from 'vitest'
import { guidedIg } from '../../../../lib/methods/image/guided-ig.ts'
import { integratedGradients } from '../../../../lib/methods/image/integrated-gradients.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

describe('guided-ig', () => {
  const { equals, run } = pixelGoldens()
  equals(guidedIg, 'guided-ig', { steps: 20, fraction: 0.25, band: 0.05 })

  it('within no band is integrated gradients by the left rule', async () => {
    const guided = await run(guidedIg, { steps: 20, band: 0 })
    const straight = await run(integratedGradients, { steps: 20, rule: 'left' })
    expect(relativeDifference(guided.map.data, straight.map.data)).toBeLessThan(1e-4)
  })

  it('comes closer to adding up with more steps', async () => {
    const errors: number[] = []
    for (const steps of [5, 200]) errors.push((await run(guidedIg, { steps })).completeness?.error ?? NaN)
    expect(errors[1]).toBeLessThan(errors[0] ?? NaN)
    expect(errors[1]).toBeLessThan(0.05)
  })
})
