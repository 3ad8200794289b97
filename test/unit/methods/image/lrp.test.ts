import { describe, expect, it } from 'vitest'
import { inputXGradient } from '../../../../lib/methods/image/input-x-gradient.ts'
import { lrp, lrpRules } from '../../../../lib/methods/image/lrp.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'

describe('lrp of pictures', () => {
  const { equals, run } = pixelGoldens()
  equals(lrp, 'lrp epsilon', { rule: 'epsilon', epsilon: 0.01 })
  equals(lrp, 'lrp gamma', { rule: 'gamma', gamma: 0.25 })
  equals(lrp, 'lrp composite', { epsilon: 0.01, gamma: 0.25 })

  it('without ε is input x gradient in a network of ReLUs', async () => {
    const [relevance, plain] = [await run(lrp, { rule: 'epsilon', epsilon: 0 }), await run(inputXGradient, {})]
    expect(relativeDifference(relevance.map.data, plain.map.data)).toBeLessThan(1e-5)
  })

  it('the composite is γ in the lower half of the convolutions, ε in the upper, neither behind', () => {
    const { taps } = new TinyCnn()
    expect(lrpRules(taps, { rule: 'composite', epsilon: 0.5, gamma: 0.25 })).toEqual({
      id: 'lrp',
      params: { epsilon: 1e-9, gamma: 0 },
      byTap: { conv1: { params: { epsilon: 1e-9, gamma: 0.25 } }, conv2: { params: { epsilon: 0.5, gamma: 0 } } },
    })
  })

  it('its card speaks of the patents', () => expect(lrp.misleads).toContain('patents'))
})
