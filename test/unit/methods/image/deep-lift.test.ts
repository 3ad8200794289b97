import { describe, expect, it } from 'vitest'
import { deepLift } from '../../../../lib/methods/image/deep-lift.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'

describe('deep-lift of pictures', () => {
  const { equals, run } = pixelGoldens()
  equals(deepLift, 'deep-lift black')
  equals(deepLift, 'deep-lift mean', { baseline: 'mean' })

  it.each(['black', 'white', 'blurred', 'mean'])('adds up to what the picture changed, from %s', async (baseline) => {
    const { completeness, diagnoses } = await run(deepLift, { baseline })
    expect(Math.abs(completeness?.expected ?? 0)).toBeGreaterThan(0.01)
    expect(completeness?.error).toBeLessThan(1e-3)
    expect(diagnoses.map(({ code }) => code)).not.toContain('COMPLETENESS')
  })
})
