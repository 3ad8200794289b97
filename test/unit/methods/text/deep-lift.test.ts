import { describe, expect, test } from 'vitest'
import { deepLift } from '../../../../lib/methods/text/deep-lift.ts'
import { goldens, onTiny } from '../../../helpers/tiny-transformer.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

test('equals Captum where both have rules for everything', async () => {
  const { scores, completeness } = await onTiny(deepLift, 'mlp')
  expect(relativeDifference(scores.data, goldens.mlp['deep-lift'])).toBeLessThan(1e-4)
  expect(completeness?.error).toBeLessThan(1e-4)
})

describe.each(['bert', 'bert-spelled', 'mean'] as const)('%s', (name) => {
  test.each(['mask', 'pad', 'zero', 'mean', 'several'])(
    'the scores add up to the difference from %s',
    async (baseline) => {
      const { scores, completeness, diagnoses } = await onTiny(deepLift, name, { baseline })
      expect(completeness?.error).toBeLessThan(1e-3)
      expect(Math.abs(completeness?.expected ?? 0)).toBeGreaterThan(0.01)
      expect(diagnoses).toEqual([])
      // Special tokens are the same in the baseline.
      expect([scores.data[0], scores.data[6]]).toEqual([0, 0])
    },
  )
})

test('fused and spelled out are the same, and several baselines are their mean', async () => {
  const [fused, spelled] = [await onTiny(deepLift, 'bert'), await onTiny(deepLift, 'bert-spelled')]
  expect(relativeDifference(fused.scores.data, spelled.scores.data)).toBeLessThan(1e-4)
  const each = await Promise.all(['mask', 'pad', 'zero'].map((baseline) => onTiny(deepLift, 'bert', { baseline })))
  const mean = Array.from(fused.scores.data, (_, token) =>
    each.reduce((sum, one) => sum + (one.scores.data[token] ?? NaN) / 3, 0),
  )
  expect(relativeDifference((await onTiny(deepLift, 'bert', { baseline: 'several' })).scores.data, mean)).toBeLessThan(
    1e-5,
  )
})
