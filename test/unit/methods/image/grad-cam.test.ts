import { describe, expect, it } from 'vitest'
import { leavesOf } from '../../../../lib/engine/formula.ts'
import { gradCam } from '../../../../lib/methods/image/grad-cam.ts'
import { cam } from '../../../../lib/methods/image/cam.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { TINY_CLASSES, TinyCnn } from '../../../helpers/tiny-cnn.ts'
import { TINY_CASES, TINY_SHAPES, literalReading } from '../../../helpers/tiny-cnn-literal.ts'
import type { TinyLayer } from '../../../helpers/tiny-cnn-literal.ts'

/** Equations 1 and 2 of the paper by the letter. */
function literalGradCam(model: TinyCnn, layer: TinyLayer, index: number): number[] {
  const { activation, gradient } = literalReading(model, layer, index)
  const map = Array<number>(activation[0]?.length ?? 0).fill(0)
  activation.forEach((channel, k) => {
    const gradients = gradient[k] ?? []
    const weight = gradients.reduce((sum, g) => sum + g, 0) / gradients.length
    channel.forEach((a, i) => (map[i] = (map[i] ?? NaN) + weight * a))
  })
  return map
}

describe('grad-cam', () => {
  it.each(TINY_CASES)('equals the paper by the letter at $layer for class $index', async ({ layer, index }) => {
    const model = new TinyCnn()
    const { map, logits } = await runImageMethod(gradCam, model, { index, params: { layer } })
    expect(map.dims).toEqual(TINY_SHAPES[layer].slice(1))
    literalGradCam(model, layer, index).forEach((value, at) => expect(map.data[at]).toBeCloseTo(value, 5))
    expect(logits.data).toHaveLength(TINY_CLASSES)
  })

  it('is signed: the last ReLU of the paper is left to the display', async () => {
    const maps = await Promise.all([0, 1, 2].map((index) => runImageMethod(gradCam, new TinyCnn(), { index })))
    expect(maps.some(({ map }) => map.data.some((value) => value < 0))).toBe(true)
  })

  it('times H * W is plain CAM, where the head is global average pooling and a linear layer', async () => {
    for (const index of [0, 1, 2]) {
      const plain = await runImageMethod(cam, new TinyCnn(), { index })
      const gradient = await runImageMethod(gradCam, new TinyCnn(), { index })
      expect(plain.map.dims).toEqual([3, 3])
      plain.map.data.forEach((value, at) => expect((gradient.map.data[at] ?? NaN) * 9).toBeCloseTo(value, 5))
    }
  })

  it('asks one question: the layer, the logits and the gradient', async () => {
    const model = new TinyCnn()
    await runImageMethod(gradCam, model, { index: 2, params: { layer: 'pool1' } })
    expect(model.asked).toHaveLength(1)
    expect(model.asked[0]?.read).toEqual(['logits'])
    const leaves = Object.values(model.asked[0]?.formulas?.outputs ?? {}).flatMap(leavesOf)
    expect(leaves).toContainEqual({ kind: 'gradient', tap: 'pool1' })
    expect(leaves).toContainEqual({ kind: 'value', tap: 'pool1' })
    expect(model.asked[0]?.gradient?.of['logits']).toMatchObject({ data: Float32Array.of(0, 0, 1) })
  })

  it('finds the number of classes where the graph does not say it', async () => {
    const known = await runImageMethod(gradCam, new TinyCnn(), { index: 1 })
    const unknown = await runImageMethod(gradCam, new TinyCnn({ classesKnown: false }), { index: 1 })
    expect(unknown.map).toEqual(known.map)
  })

  it('a layer without a gradient is refused with the reason', async () => {
    const model = new TinyCnn({ undifferentiable: { conv1: 'FancyOp has no gradient rule.' } })
    await expect(runImageMethod(gradCam, model, { params: { layer: 'conv1' } })).rejects.toMatchObject({
      code: 'NOT_DIFFERENTIABLE',
      userMessage: expect.stringContaining('FancyOp has no gradient rule.'),
    })
    await expect(runImageMethod(gradCam, model)).resolves.toMatchObject({ layer: 'relu2' })
  })

  it('no evidence anywhere: the map is all negative, and says so', async () => {
    const head = [-1, -1, 1].map((sign) => Array<number>(5).fill(sign))
    const model = new TinyCnn({ secondBias: 5, headWeights: head })
    const against = await runImageMethod(gradCam, model, { index: 0 })
    expect(against.map.data.every((value) => value < 0)).toBe(true)
    expect(against.diagnoses.map(({ code }) => code)).toContain('ALL_NEGATIVE')
    const inFavour = await runImageMethod(gradCam, model, { index: 2 })
    expect(inFavour.diagnoses.map(({ code }) => code)).not.toContain('ALL_NEGATIVE')
  })

  it('a gradient that is zero everywhere is said to be', async () => {
    // The second ReLU is off everywhere: nothing in front of it moves the score, though it is not zero itself.
    const result = await runImageMethod(gradCam, new TinyCnn({ secondBias: -100 }), { params: { layer: 'relu1' } })
    expect(result.diagnoses.map(({ code }) => code)).toEqual(['ZERO_GRADIENT'])
  })
})
