/**
 * What holds for every image method, whatever it computes. Where it is asked decides what its map looks like and what it can be
 * told: at a layer the map is as large as that layer, at the input as large as the picture.
 */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { ImageMethod, ImageResult } from '../../../../lib/methods/method.ts'
import type { Place } from '../../../../lib/methods/need.ts'
import { layersFor } from '../../../../lib/methods/place.ts'
import { predictedClass } from '../../../../lib/target/scalar.ts'
import { classTarget } from '../../../../lib/target/target.ts'
import { imageContext, runImageMethod } from '../../../helpers/image-context.ts'
import { TINY_CLASSES, TinyCnn, tinyFeed } from '../../../helpers/tiny-cnn.ts'

const COST_FACTS = { tap: null, classes: TINY_CLASSES, tokens: 0, pixels: 36 }
const EXTENT = [6, 6]
/** A bias that no picture overcomes, random ones of any colour included. */
const DEAD = -1e6
/** Where a person may choose among layers, each of which is a map. */
const LAYERS: readonly (Place | undefined)[] = ['spatial-tap', 'linear-head']
/** What the tiny CNN has not. */
const OF_TRANSFORMERS: readonly (Place | undefined)[] = ['token-grid', 'attention', 'embedding']
const codes = ({ diagnoses }: ImageResult): string[] => diagnoses.map(({ code }) => code)
/** What some methods say of how they came to their map, whatever it shows: each has a test of its own beside the method. */
const OF_THE_METHOD = ['SIGN_ORIENTED', 'NON_POSITIVE_SCORE', 'CONCEPTS']

/** What a method is beside the rule. */
export interface Peculiar {
  /** Parameters with which it is fast, for tests that ask many times. */
  readonly quick?: Readonly<Record<string, unknown>>
  /** Its map does not depend on the picture where no unit chooses among its inputs, as in the tiny CNN. */
  readonly blind?: boolean
  /** It draws what lies at coarser layers too, so that a pixel has a part in what is said of its neighbours. */
  readonly spreads?: boolean
}

export function describeImageMethod(
  method: ImageMethod,
  { quick = {}, blind = false, spreads = false }: Peculiar = {},
): void {
  const place = method.needs[0]?.place
  const atLayer = LAYERS.includes(place)
  const readsGradient = method.needs.some(({ gradient }) => gradient === true)

  describe(method.id, () => {
    if (Object.keys(quick).length > 0) method = withDefaults(method, quick)
    describesItself(method, atLayer)
    if (OF_TRANSFORMERS.includes(place)) {
      it('is refused for a CNN, in a sentence', async () => {
        await expect(runImageMethod(method, new TinyCnn())).rejects.toMatchObject({ code: 'METHOD_UNAVAILABLE' })
      })
      return
    }
    if (atLayer) isAskedAtLayers(method)
    else isAskedOfThePicture(method, blind)
    answersTheQuestion(method)
    canBeWatchedAndStopped(method)
    if (method.output.complete) addsUp(method)
    if (place === 'input' && readsGradient && !spreads) givesNothingToWhatIsIgnored(method)
    if (blind) seesNothing(method)
    else diagnoses(method, atLayer || readsGradient)
    pointsOutSaturation(method)
  })
}

/** As if the quick parameters were the defaults. */
function withDefaults(method: ImageMethod, quick: Readonly<Record<string, unknown>>): ImageMethod {
  return { ...method, run: (context, params) => method.run(context, { ...(params as object), ...quick }) }
}

function addsUp(method: ImageMethod): void {
  it('its map adds up to what it says, with the error it says', async () => {
    for (const index of [0, 1, 2]) {
      const { map, completeness, diagnoses: said } = await runImageMethod(method, new TinyCnn(), { index })
      if (completeness === undefined) throw new Error('it promises completeness and does not state it')
      const { sum, expected, error, points } = completeness
      expect(sum).toBeCloseTo(
        map.data.reduce((total, one) => total + one, 0),
        5,
      )
      expect(error).toBeCloseTo(Math.abs(sum - expected) / Math.abs(expected), 4)
      expect(Math.abs(sum - expected)).toBeLessThan(0.05 * Math.max(Math.abs(expected), 0.1))
      expect(said.some(({ code }) => code === 'COMPLETENESS')).toBe(error > 0.01)
      expect(points).toBeGreaterThanOrEqual(1)
    }
  })
}

function givesNothingToWhatIsIgnored(method: ImageMethod): void {
  it('a pixel that the model ignores scores 0', async () => {
    const ignored = 15
    const { map } = await runImageMethod(method, new TinyCnn({ ignored }))
    expect(map.data[ignored]).toBe(0)
    expect(map.data.some((value) => value !== 0)).toBe(true)
  })
}

function seesNothing(method: ImageMethod): void {
  it('its map is constant where no unit chooses among its inputs, and says so', async () => {
    const result = await runImageMethod(method, new TinyCnn())
    expect(codes(result)).toEqual(['CONSTANT_MAP'])
  })
}

function describesItself(method: ImageMethod, atLayer: boolean): void {
  it('describes itself', () => {
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
    if (atLayer) expect(schema.properties?.['layer']).toMatchObject({ tap: 'spatial', default: null })
    else expect(schema.properties ?? {}).not.toHaveProperty('layer')
  })

  it('rejects a parameter it does not know, or of another type', () => {
    expect(method.params.safeParse({ nonsense: 1 }).success).toBe(false)
    expect(method.params.safeParse({ layer: 7 }).success).toBe(false)
    expect(method.params.safeParse({ layer: '' }).success).toBe(false)
    expect(method.params.safeParse({ layer: 'anything' }).success).toBe(atLayer)
  })
}

function isAskedAtLayers(method: ImageMethod): void {
  const facts = async () => (await imageContext(new TinyCnn(), { of: method, params: {} })).facts

  it('its map has the extent of its layer, or of the picture where it needs that too', async () => {
    const ofPicture = method.needs.some(({ place }) => place === 'input')
    for (const { id, shape } of layersFor(method, await facts())) {
      const result = await runImageMethod(method, new TinyCnn(), { params: { layer: id } })
      expect(result.layer).toBe(id)
      expect(result.map.dims).toEqual(ofPicture ? EXTENT : shape.slice(2))
    }
    expect((await runImageMethod(method, new TinyCnn())).layer).toBe('relu2')
  })

  it('an unknown layer is refused, with the layers there are', async () => {
    await expect(runImageMethod(method, new TinyCnn(), { params: { layer: 'conv9' } })).rejects.toMatchObject({
      code: 'UNKNOWN_LAYER',
      userMessage: expect.stringMatching(/no layer "conv9".*relu2 \(features\.relu2\)/),
      details: { layers: layersFor(method, await facts()).map(({ id }) => id) },
    })
  })

  it('a layer without height and width is refused, with the reason', async () => {
    for (const layer of ['gap', 'logits'])
      await expect(runImageMethod(method, new TinyCnn(), { params: { layer } })).rejects.toMatchObject({
        code: 'METHOD_UNAVAILABLE',
        userMessage: expect.stringContaining('no height and width'),
      })
  })
}

function isAskedOfThePicture(method: ImageMethod, blind: boolean): void {
  it('its map has the extent of the picture, or of a grid over it that does not depend on what the picture shows', async () => {
    const { layer, map } = await runImageMethod(method, new TinyCnn())
    expect([null, 'input']).toContain(layer)
    if (method.needs[0]?.place === 'input') expect(map.dims).toEqual(EXTENT)
    expect(map.dims).toHaveLength(2)
    map.dims.forEach((side, axis) => expect(side).toBeLessThanOrEqual(EXTENT[axis] ?? NaN))
    const other = await runImageMethod(method, new TinyCnn(), { feeds: { input: tinyFeed(2) } })
    expect(other.map.dims).toEqual(map.dims)
    if (blind) expect(other.map.data).toEqual(map.data)
    else expect(other.map.data).not.toEqual(map.data)
  })
}

function answersTheQuestion(method: ImageMethod): void {
  it('its map has finite values, and the logits are those of the picture', async () => {
    const model = new TinyCnn()
    const result = await runImageMethod(method, model)
    expect(result.map.data).toHaveLength(result.map.dims.reduce((product, side) => product * side, 1))
    expect(result.map.data.every(Number.isFinite)).toBe(true)
    expect(result.map.data.some((value) => value !== 0)).toBe(true)
    if (!method.output.signed) expect(Math.min(...result.map.data)).toBeGreaterThanOrEqual(0)
    expect(result.logits.dims).toEqual([TINY_CLASSES])
    expect([...result.logits.data]).toEqual([...Float32Array.from(model.forward(tinyFeed().data)['logits'] ?? [])])
  })

  it('gives identical bytes twice, and leaves the feeds as they were', async () => {
    const feeds = { input: tinyFeed() }
    const [one, two] = [
      await runImageMethod(method, new TinyCnn(), { feeds }),
      await runImageMethod(method, new TinyCnn(), { feeds }),
    ]
    expect(one).toEqual(two)
    expect(feeds).toEqual({ input: tinyFeed() })
  })

  it('explains the class it was asked for, unless it says that it asks for none', async () => {
    const maps = await Promise.all([0, 1, 2].map((index) => runImageMethod(method, new TinyCnn(), { index })))
    if (method.output.classAgnostic === true) {
      expect(maps[1]?.map).toEqual(maps[0]?.map)
      expect(maps[2]?.map).toEqual(maps[0]?.map)
      return
    }
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

  it.each([-1, TINY_CLASSES, 0.5])('class %d is refused', async (index) => {
    await expect(runImageMethod(method, new TinyCnn(), { index })).rejects.toMatchObject({ code: 'UNKNOWN_LABEL' })
  })
}

function canBeWatchedAndStopped(method: ImageMethod): void {
  it('a run cancelled before it starts computes nothing', async () => {
    const model = new TinyCnn()
    await expect(runImageMethod(method, model, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CANCELLED',
    })
    expect(model.asked).toEqual([])
  })

  it('a run cancelled while the model computes has no result, and asks no more', async () => {
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
    expect(model.asked).toHaveLength(1)
  })

  it('reports its progress, which ends at 1', async () => {
    const seen: number[] = []
    await runImageMethod(method, new TinyCnn(), { progress: (fraction) => seen.push(fraction) })
    expect(seen.at(-1)).toBe(1)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(seen[0]).toBeGreaterThanOrEqual(0)
  })
}

/** @param emptied where nothing reaches the logits, the map is zero: it is made of the layer, or of a gradient */
function diagnoses(method: ImageMethod, emptied: boolean): void {
  it('says nothing where there is nothing to say', async () => {
    for (const index of [0, 1, 2]) {
      const result = await runImageMethod(method, new TinyCnn(), { index })
      const short = (result.completeness?.error ?? 0) > 0.01 ? ['COMPLETENESS'] : []
      const said = codes(result).filter((code) => !OF_THE_METHOD.includes(code))
      expect(said).toEqual([...short, ...(Math.max(...result.map.data) > 0 ? [] : ['ALL_NEGATIVE'])])
    }
  })

  it('what is zero everywhere makes a map that says so, with the reason', async () => {
    const result = await runImageMethod(method, new TinyCnn({ secondBias: DEAD }))
    const [first = NaN] = result.map.data
    if (emptied) expect(result.map.data.every((value) => value === 0)).toBe(true)
    // Masks drawn at random may leave a trace of themselves in the map of a model that sees nothing.
    else expect(result.map.data.every(Number.isFinite)).toBe(true)
    const constant = result.map.data.every((value) => value === first)
    const said = codes(result).filter((code) => code === 'CONSTANT_MAP' || code === 'ZERO_GRADIENT')
    expect(said).toHaveLength(constant ? 1 : 0)
  })
}

function pointsOutSaturation(method: ImageMethod): void {
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
}
