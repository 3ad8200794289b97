import { describe, expect, test } from 'vitest'
import { libraGrad } from '../../../../lib/methods/text/libra-grad.ts'
import { goldens, onTiny } from '../../../helpers/tiny-transformer.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

describe.each(['bert', 'bert-spelled'] as const)('%s', (name) => {
  test('equals the reference with detached gradients', async () => {
    const { scores } = await onTiny(libraGrad, name)
    expect(relativeDifference(scores.data, goldens.bert['libra-grad'].scores)).toBeLessThan(1e-4)
  })
})

test('the length of the corrected gradient', async () => {
  const { scores, wordReduction } = await onTiny(libraGrad, 'bert', { of: 'gradient-norm' })
  expect(relativeDifference(scores.data, goldens.bert['libra-grad'].norm)).toBeLessThan(1e-4)
  expect(wordReduction).toBe('absolute-max')
})

test('without biases the scores add up to the logit', async () => {
  const { scores, logits } = await onTiny(libraGrad, 'bias-free')
  expect(scores.data.reduce((total, one) => total + one, 0)).toBeCloseTo(logits.data[1] ?? NaN, 5)
})
