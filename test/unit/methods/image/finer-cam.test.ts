import { describe, expect, it } from 'vitest'
import { finerCam, finerTarget } from '../../../../lib/methods/image/finer-cam.ts'
import { gradCam } from '../../../../lib/methods/image/grad-cam.ts'
import { mapsOver } from '../../../helpers/several.ts'
import { readingOf } from '../../../../lib/methods/shared/vary.ts'
import { classTarget, type Target } from '../../../../lib/target/target.ts'
import { imageContext, runImageMethod } from '../../../helpers/image-context.ts'
import { TinyCnn, tinyFeed } from '../../../helpers/tiny-cnn.ts'

const LAYER = { layer: 'pool1' }
const PAPER = { strength: 0.6, references: 3, against: null, dialect: 'paper' } as const

/** Grad-CAM's maps are linear in the score, so that a contrast is the difference of its parts. */
async function mapsOfClasses(): Promise<readonly (readonly number[])[]> {
  const results = await Promise.all([0, 1, 2].map((index) => runImageMethod(gradCam, new TinyCnn(), { index, params: LAYER }))) // prettier-ignore
  return results.map(({ map }) => [...map.data])
}

describe('finer-cam', () => {
  it.each([
    { name: 'both others', params: {}, weights: [1, -0.3, -0.3] },
    { name: 'another strength', params: { strength: 1 }, weights: [1, -0.5, -0.5] },
    { name: 'a named class', params: { against: 2 }, weights: [1, 0, -0.6] },
    { name: 'no strength', params: { strength: 0 }, weights: [1, 0, 0] },
  ])('is Grad-CAM of the class less its likes: $name', async ({ params, weights }) => {
    const { map } = await runImageMethod(finerCam, new TinyCnn(), { index: 0, params: { ...LAYER, ...params } })
    const maps = await mapsOfClasses()
    map.data.forEach(
      (value, at) =>
      expect(value).toBeCloseTo(weights.reduce((sum, weight, index) => sum + weight * (maps[index]?.[at] ?? NaN), 0), 4), // prettier-ignore
    )
  })

  it('compares with the classes whose scores are nearest', () => {
    const logits = [4, -1, 3.5, 9, 4.25]
    expect(finerTarget(classTarget(0), logits, { ...PAPER, references: 2 })).toEqual({
      kind: 'contrast',
      index: 0,
      others: [
        { index: 4, weight: 0.3 },
        { index: 2, weight: 0.3 },
      ],
    })
  })

  it('weighs them as pytorch-grad-cam does: the slopes of its score', () => {
    const logits = [2, 1.5, 0.5, 1]
    const score = (z: readonly number[]): number => {
      const others = [1, 3, 2].map((index) => z[index] ?? NaN)
      const powers = others.map(Math.exp)
      const sum = powers.reduce((all, one) => all + one, 0)
      return (z[0] ?? NaN) - others.reduce((all, one, at) => all + (one * (powers[at] ?? NaN)) / sum, 0)
    }
    const found = finerTarget(classTarget(0), logits, { ...PAPER, strength: 1, dialect: 'pytorch-grad-cam' })
    if (found.kind !== 'contrast') throw new Error(found.kind)
    expect(found.others.map(({ index }) => index)).toEqual([1, 3, 2])
    for (const { index, weight } of found.others) {
      const moved = (by: number): number => score(logits.with(index, (logits[index] ?? NaN) + by))
      expect(-weight).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 6)
    }
  })

  it('a contrast that is asked for is read at several layers in one question', async () => {
    const model = new TinyCnn()
    const logits = model.forward(tinyFeed().data)['logits'] ?? []
    const target = finerTarget(classTarget(1), logits, PAPER)
    const context = await imageContext(model, { of: finerCam, params: finerCam.params.parse({}) }, { target })
    const taps = model.taps.filter(({ id }) => id === 'relu1' || id === 'relu2')
    const { maps } = await mapsOver(finerCam, context, taps, [target], {})
    expect(model.asked).toHaveLength(1)
    for (const { id } of taps) {
      const { map } = await runImageMethod(finerCam, new TinyCnn(), { index: 1, params: { layer: id } })
      expect(maps.get(id)?.[0]?.data).toEqual(map.data)
    }
  })

  it('a class alone is not read at once, and the reason is said', async () => {
    const context = await imageContext(new TinyCnn(), { of: finerCam, params: {} })
    expect(() => readingOf(finerCam, context, {})).toThrow(/know the scores/)
  })

  it('there is nothing to compare a class with but another class', async () => {
    await expect(runImageMethod(finerCam, new TinyCnn(), { index: 1, params: { against: 1 } })).rejects.toMatchObject({
      code: 'BAD_PARAMETER',
    })
    const target: Target = { kind: 'sum', indices: [0, 1] }
    await expect(runImageMethod(finerCam, new TinyCnn(), { target })).rejects.toThrow(/the target is no class/)
  })
})
