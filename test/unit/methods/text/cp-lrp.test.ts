import { describe, expect, test } from 'vitest'
import { cpLrp } from '../../../../lib/methods/text/cp-lrp.ts'
import { goldens, onTiny } from '../../../helpers/tiny-transformer.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

describe.each(['bert', 'bert-spelled'] as const)('%s', (name) => {
  test('equals the reference with detached gradients', async () => {
    const { scores } = await onTiny(cpLrp, name)
    expect(relativeDifference(scores.data, goldens.bert['cp-lrp'].scores)).toBeLessThan(1e-4)
  })
})

test('without biases the scores add up to the logit', async () => {
  const { scores, logits } = await onTiny(cpLrp, 'bias-free')
  expect(scores.data.reduce((total, one) => total + one, 0)).toBeCloseTo(logits.data[1] ?? NaN, 5)
})

test('activations with their gradient, as in the authors’ code', async () => {
  const { scores } = await onTiny(cpLrp, 'bert', { activations: 'gradient' })
  expect(relativeDifference(scores.data, goldens.bert['cp-lrp-gradient'].scores)).toBeLessThan(1e-4)
})
