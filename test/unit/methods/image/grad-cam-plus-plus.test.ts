import { describe, expect, it } from 'vitest'
import { gradCamPlusPlus } from '../../../../lib/methods/image/grad-cam-plus-plus.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'
import { TINY_CASES, literalReading } from '../../../helpers/tiny-cnn-literal.ts'

const total = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0)
const relu = (value: number): number => Math.max(0, value)

/** What each library weighs a channel by, as its code says. */
const WEIGHTS: Readonly<Record<string, (a: readonly number[], g: readonly number[]) => number>> = {
  paper: (a, g) =>
    total(g.map((one) => (Math.abs(one) < 1e-9 ? 0 : (one ** 2 / (2 * one ** 2 + total(a) * one ** 3)) * relu(one)))),
  'pytorch-grad-cam': (a, g) =>
    total(g.map((one) => (one === 0 ? 0 : (one ** 2 / (2 * one ** 2 + total(a) * one ** 3 + 1e-6)) * relu(one)))),
  'torch-cam': (_, g) => total(g.map((one) => relu(one) ** 3)),
  xplique: (a, g) =>
    total(
      g.map((one) => {
        const below = 2 * one ** 2 + one ** 3 * (total(a) / a.length)
        return (one ** 2 / (below === 0 ? 1e-4 : below)) * relu(one)
      }),
    ) / g.length,
}

describe.each(['paper', 'pytorch-grad-cam', 'torch-cam', 'xplique'])('grad-cam-plus-plus, %s', (dialect) => {
  it.each(TINY_CASES)('is to the letter at $layer for class $index', async ({ layer, index }) => {
    const model = new TinyCnn()
    const { map } = await runImageMethod(gradCamPlusPlus, model, { index, params: { layer, dialect } })
    const { activation, gradient } = literalReading(model, layer, index)
    const weights = activation.map((channel, k) => WEIGHTS[dialect]?.(channel, gradient[k] ?? []) ?? NaN)
    map.data.forEach((value, i) => {
      const expected = activation.reduce((sum, channel, k) => sum + (weights[k] ?? NaN) * (channel[i] ?? NaN), 0)
      expect(value / Math.max(1, Math.abs(expected))).toBeCloseTo(expected / Math.max(1, Math.abs(expected)), 5)
    })
  })
})

describe('grad-cam-plus-plus', () => {
  it('the dialects are four maps, and the paper’s is the default', async () => {
    const maps = await Promise.all(
      [undefined, 'paper', 'pytorch-grad-cam', 'torch-cam', 'xplique'].map(
        async (dialect) => (await runImageMethod(gradCamPlusPlus, new TinyCnn(), { params: { layer: 'relu1', dialect } })).map.data, // prettier-ignore
      ),
    )
    expect(maps[0]).toEqual(maps[1])
    expect(new Set(maps.map((map) => map.join())).size).toBe(4)
  })

  it('another library’s name is refused', () => {
    expect(gradCamPlusPlus.params.safeParse({ dialect: 'captum' }).success).toBe(false)
  })
})
