/** What holds for every image method, whatever it computes. A new method is tested here by being in the list. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { METHODS } from '../../../../lib/methods/index.ts'
import { methodFor } from '../../../../lib/methods/find.ts'
import { layersFor } from '../../../../lib/methods/place.ts'
import type { ModelFacts } from '../../../../lib/models/facts.ts'
import type { ImageMethod, ImageResult } from '../../../../lib/methods/method.ts'
import { predictedClass } from '../../../../lib/target/scalar.ts'
import { classTarget } from '../../../../lib/target/target.ts'
import { imageContext, runImageMethod } from '../../../helpers/image-context.ts'
import { TINY_CLASSES, TinyCnn, tinyFeed } from '../../../helpers/tiny-cnn.ts'

const IMAGE_METHODS = METHODS.filter((method): method is ImageMethod => method.modality === 'image')
const COST_FACTS = { tap: null, classes: TINY_CLASSES, tokens: 0, pixels: 36 }
const tinyFacts = async (): Promise<ModelFacts> =>
  (await imageContext(new TinyCnn(), { of: IMAGE_METHODS[0] as ImageMethod, params: {} })).facts
const codes = ({ diagnoses }: ImageResult): string[] => diagnoses.map(({ code }) => code)

it('there are image methods', () => expect(IMAGE_METHODS.length).toBeGreaterThanOrEqual(2))

describe.each(IMAGE_METHODS)('$id', (method) => {
  it('is found by its id, and describes itself', () => {
    expect(methodFor(METHODS, 'image', method.id)).toBe(method)
    expect(methodFor(METHODS, 'text', method.id)).not.toBe(method)
    expect(method.id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    expect(method.version).toBeGreaterThanOrEqual(1)
    expect(method.title).not.toBe('')
    expect(method.summary).toMatch(/\.$/)
    expect(method.cost(method.params.parse({}), COST_FACTS)).toBeGreaterThanOrEqual(1)
    if (method.paper !== null) expect(method.paper.url).toMatch(/^https:/)
  })

  it('its parameters become a JSON Schema of optional fields with a title, a description and a default', () => {
    const schema = z.toJSONSchema(method.params, { io: 'input' })
    expect(schema).toMatchObject({ type: 'object', additionalProperties: false })
    expect(schema.required ?? []).toEqual([])
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      expect(field, name).toMatchObject({ title: expect.any(String), description: expect.any(String) })
      expect(field, name).toHaveProperty('default')
    }
    expect(schema.properties?.['layer']).toMatchObject({ tap: 'spatial', default: null })
  })

  it('its map has the extent of its layer, finite values, and the logits', async () => {
    const model = new TinyCnn()
    const result = await runImageMethod(method, model)
    const tap = model.taps.find(({ id }) => id === result.layer)
    expect(tap?.spatial).toBe(true)
    expect(result.map.dims).toEqual(tap?.shape.slice(2))
    expect(result.map.data.every(Number.isFinite)).toBe(true)
    expect(result.map.data.some((value) => value !== 0)).toBe(true)
    expect(result.logits.dims).toEqual([TINY_CLASSES])
    expect([...result.logits.data]).toEqual([...Float32Array.from(model.forward(tinyFeed().data)['logits'] ?? [])])
  })

  it('gives identical bytes twice', async () => {
    expect((await runImageMethod(method, new TinyCnn())).map.data).toEqual(
      (await runImageMethod(method, new TinyCnn())).map.data,
    )
  })

  it('explains the class it was asked for', async () => {
    const maps = await Promise.all([0, 1, 2].map((index) => runImageMethod(method, new TinyCnn(), { index })))
    expect(maps[0]?.map.data).not.toEqual(maps[1]?.map.data)
    expect(maps[1]?.map.data).not.toEqual(maps[2]?.map.data)
  })

  it('the predicted class costs no question of its own, and has the same bytes', async () => {
    const model = new TinyCnn()
    const predicted = await runImageMethod(method, model, { target: classTarget(null) })
    const index = predictedClass(predicted.logits.data)
    const asked = new TinyCnn()
    const named = await runImageMethod(method, asked, { index })
    expect(predicted).toEqual(named)
    expect(model.asked.length).toBe(asked.asked.length)
  })

  it('rejects a parameter it does not know, or of another type', () => {
    expect(method.params.safeParse({ nonsense: 1 }).success).toBe(false)
    expect(method.params.safeParse({ layer: 7 }).success).toBe(false)
    expect(method.params.safeParse({ layer: '' }).success).toBe(false)
    expect(method.params.safeParse({ layer: 'anything' }).success).toBe(true)
  })

  it('an unknown layer is refused, with the layers there are', async () => {
    await expect(runImageMethod(method, new TinyCnn(), { params: { layer: 'conv9' } })).rejects.toMatchObject({
      code: 'UNKNOWN_LAYER',
      userMessage: expect.stringMatching(/no layer "conv9".*relu2 \(features\.relu2\)/),
      details: { layers: layersFor(method, await tinyFacts()).map(({ id }) => id) },
    })
  })

  it('a layer without height and width is refused, with the reason', async () => {
    for (const layer of ['gap', 'logits'])
      await expect(runImageMethod(method, new TinyCnn(), { params: { layer } })).rejects.toMatchObject({
        code: 'METHOD_UNAVAILABLE',
        userMessage: expect.stringContaining('no height and width'),
      })
  })

  it.each([-1, TINY_CLASSES, 0.5])('class %d is refused', async (index) => {
    await expect(runImageMethod(method, new TinyCnn(), { index })).rejects.toMatchObject({ code: 'UNKNOWN_LABEL' })
  })

  it('a run cancelled before it starts computes nothing', async () => {
    const model = new TinyCnn()
    await expect(runImageMethod(method, model, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CANCELLED',
    })
    expect(model.asked).toEqual([])
  })

  it('a run cancelled while the model computes has no result', async () => {
    const controller = new AbortController()
    const model = new TinyCnn()
    const ask = model.ask.bind(model)
    model.ask = async (question) => {
      const answer = await ask(question)
      controller.abort()
      return answer
    }
    await expect(runImageMethod(method, model, { signal: controller.signal })).rejects.toMatchObject({
      code: 'CANCELLED',
    })
  })

  it('reports its progress, which ends at 1', async () => {
    const seen: number[] = []
    await runImageMethod(method, new TinyCnn(), { progress: (fraction) => seen.push(fraction) })
    expect(seen.at(-1)).toBe(1)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
  })

  it('says nothing where there is nothing to say', async () => {
    expect(codes(await runImageMethod(method, new TinyCnn()))).toEqual([])
  })

  it('a layer that is zero everywhere makes a map of zeros, with the reason', async () => {
    const result = await runImageMethod(method, new TinyCnn({ secondBias: -100 }))
    expect([...result.map.data]).toEqual(Array(9).fill(0))
    expect(codes(result).filter((code) => code === 'CONSTANT_MAP' || code === 'ZERO_GRADIENT')).toHaveLength(1)
  })

  it('a saturated softmax is pointed out', async () => {
    const model = new TinyCnn({ headBias: [50, 0, 0] })
    const certain = await runImageMethod(method, model, { index: 0 })
    expect(certain.diagnoses.filter(({ code }) => code === 'SOFTMAX_SATURATED')).toEqual([
      { code: 'SOFTMAX_SATURATED', severity: 'info', message: expect.stringContaining('exactly 1') },
    ])
    const impossible = await runImageMethod(method, model, { index: 1 })
    expect(impossible.diagnoses.at(-1)?.message).toContain('exactly 0')
    expect(certain.map.data.some((value) => value !== 0)).toBe(true)
  })
})
