import { describe, expect, test } from 'vitest'
import { attnLrp } from '../../../../lib/methods/text/attn-lrp.ts'
import { goldens, onTiny } from '../../../helpers/tiny-transformer.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

describe.each(['bert', 'bert-spelled'] as const)('%s', (name) => {
  test('equals the reference with detached gradients', async () => {
    const { scores } = await onTiny(attnLrp, name)
    expect(relativeDifference(scores.data, goldens.bert['attn-lrp'].scores)).toBeLessThan(1e-4)
  })
})

test('without biases the sum falls short of the logit by what the softmax keeps', async () => {
  const { scores, logits } = await onTiny(attnLrp, 'bias-free')
  expect(relativeDifference(scores.data, goldens['bias-free']['attn-lrp'].scores)).toBeLessThan(1e-4)
  const sum = scores.data.reduce((total, one) => total + one, 0)
  expect(Math.abs(sum - (logits.data[1] ?? NaN))).toBeLessThan(0.4 * Math.abs(logits.data[1] ?? NaN))
})
