import { describe, expect, it } from 'vitest'
import { saturation, zeroGradient } from '../../../../lib/methods/shared/diagnoses.ts'
import type { Target } from '../../../../lib/target/target.ts'

const logit = (index: number | null): Target => ({ kind: 'logit', index })

describe('saturation', () => {
  it('says so in the words of the modality', () => {
    expect(saturation('image', [10, 0], logit(0))).toEqual([
      {
        code: 'SOFTMAX_SATURATED',
        severity: 'info',
        message:
          'The probability of this class is almost exactly 1, where it hardly reacts to anything. The map explains the logit, which still does.',
      },
    ])
    expect(saturation('text', [10, 0], logit(1))).toEqual([
      {
        code: 'SOFTMAX_SATURATED',
        severity: 'info',
        message:
          'The probability of this class is practically 0, where it hardly reacts to any word. The scores explain the number before the softmax instead.',
      },
    ])
  })

  it.each([
    ['a probability that moves', [8, 0], logit(0), false],
    ['the predicted class', [0, 10], logit(null), true],
    ['a margin', [0, 10], { kind: 'margin', index: 0, against: 1 }, true],
    ['the probability itself, which is explained', [0, 10], { kind: 'probability', index: 0 }, false],
    ['logits that overflow', [-700, 700], logit(0), true],
    ['one class, which has no other', [3], logit(0), false],
  ] as const)('%s', (_, logits, target, saturated) => {
    for (const modality of ['image', 'text'] as const)
      expect(saturation(modality, logits, target).map(({ code }) => code)).toEqual(
        saturated ? ['SOFTMAX_SATURATED'] : [],
      )
  })
})

describe('saturation of a sigmoid', () => {
  it('is of the class itself, whatever the others are', () => {
    expect(saturation('text', [10, 10], logit(0), 'sigmoid')).toEqual([
      {
        code: 'SIGMOID_SATURATED',
        severity: 'info',
        message:
          'The probability of this class is practically 1, where it hardly reacts to any word. The scores explain the number before the sigmoid instead.',
      },
    ])
    expect(saturation('image', [2, -40], logit(0), 'sigmoid')).toEqual([])
    expect(saturation('image', [-12], logit(0), 'sigmoid').map(({ code }) => code)).toEqual(['SIGMOID_SATURATED'])
    expect(saturation('image', [10, 0], logit(0), 'none')).toEqual([])
  })
})

describe('zeroGradient', () => {
  it('only where it is exactly 0', () => {
    for (const largest of [null, 1e-30, NaN]) expect(zeroGradient('text', largest)).toEqual([])
    expect(zeroGradient('text', 0)).toEqual([
      {
        code: 'ZERO_GRADIENT',
        severity: 'warning',
        message:
          'The gradient is zero at every token: no small change of any word would change the score of this class.',
      },
    ])
    expect(zeroGradient('image', 0)[0]?.message).toBe(
      'The gradient of this class is zero everywhere at this layer, so the map is empty: nothing in this layer changes the score. Try a later layer.',
    )
  })
})
