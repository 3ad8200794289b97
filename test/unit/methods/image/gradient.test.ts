import { describe, expect, it } from 'vitest'
import { gradient } from '../../../../lib/methods/image/gradient.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'
import { literalReading } from '../../../helpers/tiny-cnn-literal.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'

describe('gradient', () => {
  const { equals } = pixelGoldens()
  equals(gradient, 'gradient')
  equals(gradient, 'gradient absolute', { view: 'absolute' })
  equals(gradient, 'gradient channel-max', { view: 'channel-max' })

  it.each([0, 1, 2])('equals finite differences, for class %d', async (index) => {
    const model = new TinyCnn()
    const { gradient: slopes } = literalReading(model, 'input', index)
    const at = (i: number): number[] => slopes.map((colour) => colour[i] ?? NaN)
    for (const [view, of] of [
      ['signed', (colours: number[]) => colours.reduce((sum, one) => sum + one, 0)],
      ['absolute', (colours: number[]) => colours.reduce((sum, one) => sum + Math.abs(one), 0)],
      ['channel-max', (colours: number[]) => Math.max(...colours.map(Math.abs))],
    ] as const) {
      const { map } = await runImageMethod(gradient, model, { index, params: { view } })
      map.data.forEach((one, i) => expect(one, view).toBeCloseTo(of(at(i)), 5))
    }
  })

  it('asks one question', async () => {
    const model = new TinyCnn()
    await runImageMethod(gradient, model)
    expect(model.asked).toHaveLength(1)
  })
})
