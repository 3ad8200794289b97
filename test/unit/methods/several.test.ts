/** Several layers and targets in one run are what the method gives at each by itself. */
import { describe, expect, test } from 'vitest'
import type { ImageContext } from '../../../lib/methods/context.ts'
import { cam } from '../../../lib/methods/image/cam.ts'
import { gradCam } from '../../../lib/methods/image/grad-cam.ts'
import { lrp } from '../../../lib/methods/image/lrp.ts'
import { rise } from '../../../lib/methods/image/rise.ts'
import { attentionRollout } from '../../../lib/methods/text/attention-rollout.ts'
import { METHODS } from '../../../lib/methods/index.ts'
import type { ImageMethod } from '../../../lib/methods/method.ts'
import { placeFor } from '../../../lib/methods/place.ts'
import { costOfAll, placesAt, runAt, stripOf, tapsAt } from '../../../lib/methods/several.ts'
import { factsOf } from '../../../lib/models/facts.ts'
import type { Target } from '../../../lib/target/target.ts'
import { AS_IT_IS, imageContext, runImageMethod } from '../../helpers/image-context.ts'
import { TinyCnn } from '../../helpers/tiny-cnn.ts'

const logit = (index: number | null): Target => ({ kind: 'logit', index })
/** Of a kind with fixed weights, of kinds without, and of the predicted class. */
const TARGETS: readonly Target[] = [
  logit(2),
  { kind: 'probability', index: 1 },
  { kind: 'margin', index: 0, against: 1 },
  logit(null),
  { kind: 'probability', index: 0 },
]
const LAYERS = ['relu2', 'conv1', 'relu1']

async function several(
  method: ImageMethod,
  model: TinyCnn,
  layers: readonly string[] | null,
  targets: readonly Target[],
  changes: Partial<ImageContext> = {},
) {
  const params = method.params.parse({})
  const context = { ...(await imageContext(model, { of: method, params })), ...changes }
  const maps = { layers: layers === null ? null : [...layers], targets: [...targets] }
  const places = placesAt(maps, context.tap, method, context.facts)
  model.asked.length = 0
  return { places, results: await runAt(method, context, params, places, 3) }
}

describe('results', () => {
  const READING = METHODS.filter(
    (method): method is ImageMethod => method.modality === 'image' && method.reading !== undefined,
  )
  // The tiny network computes each row by itself, so batches and single rows are the same to the byte.
  test.each([...READING, cam])('of $id are those of single runs', async (method) => {
    const model = new TinyCnn()
    const layers = method.needs[0]?.place === 'spatial-tap' ? LAYERS : null
    const { places, results } = await several(method, model, layers, TARGETS)
    expect(results).toHaveLength((layers?.length ?? 1) * TARGETS.length)
    for (const [at, { tap, target }] of places.entries()) {
      const params = layers === null ? {} : { layer: tap?.id ?? null }
      const alone = await runImageMethod(method, new TinyCnn(), { params, target })
      expect(results[at]).toEqual(alone)
    }
  })

  test('of one method at layers and for targets of one kind come from one question', async () => {
    const model = new TinyCnn()
    await several(gradCam, model, LAYERS, [logit(0), logit(1), { kind: 'margin', index: 2, against: null }])
    expect(model.asked).toHaveLength(1)
    await several(gradCam, model, LAYERS, [logit(0), logit(1), logit(2), { kind: 'sum', indices: [0, 1] }])
    expect(model.asked, 'three rows fit a question').toHaveLength(2)
    await several(gradCam, model, LAYERS, TARGETS)
    expect(model.asked, 'fixed weights, probabilities, the predicted class').toHaveLength(3)
  })

  test('of one map alone are asked for as ever', async () => {
    const model = new TinyCnn()
    await several(gradCam, model, ['relu1'], [logit(1)])
    const [question] = model.asked
    await runImageMethod(gradCam, model, { params: { layer: 'relu1' }, target: logit(1) })
    expect(model.asked[1]).toEqual(question)
  })

  test.each([
    ['relevance of one layer is not handed to another', lrp, null],
    ['a CAM', gradCam, LAYERS],
  ])('%s: what was read for one target is not taken for another', async (_, method, layers) => {
    const { results } = await several(method, new TinyCnn(), layers, [logit(0), logit(1)])
    const maps = results.map(({ map }) => [...map.data].join())
    expect(new Set(maps).size).toBe(maps.length)
  })
})

describe('on the way', () => {
  test('progress rises once to the end, over all maps', async () => {
    const told: number[] = []
    await several(cam, new TinyCnn(), null, [logit(0), logit(1)], { progress: (one) => told.push(one) })
    expect(told).toEqual([0.5, 1])
    told.length = 0
    await several(gradCam, new TinyCnn(), LAYERS, TARGETS, { progress: (one) => told.push(one) })
    expect(told).toEqual([1 / 3, 2 / 3, 1])
  })

  test('a cancelled run ends before the next map', async () => {
    const cancel = new AbortController()
    const model = new TinyCnn()
    const progress = () => {
      cancel.abort()
    }
    await expect(
      several(cam, model, null, [logit(0), logit(1)], { signal: cancel.signal, progress }),
    ).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(model.asked).toHaveLength(1)
  })
})

describe('the layers of a strip', () => {
  const facts = (model = new TinyCnn()) => factsOf(model, { title: 'Tiny', preprocessing: AS_IT_IS })
  const ids = async (most: number, model?: TinyCnn) => stripOf(gradCam, await facts(model), most).map(({ id }) => id)

  test('are where the method can be asked, in network order, of a layer and its activation the last', async () => {
    expect(await ids(60)).toEqual(['relu1', 'pool1', 'relu2'])
    expect(await ids(60, new TinyCnn({ undifferentiable: { relu1: 'No rule.' } }))).toEqual(['conv1', 'pool1', 'relu2'])
    expect(await ids(60, new TinyCnn({ defaultTap: 'conv1' }))).toEqual(['conv1', 'relu1', 'pool1', 'relu2'])
  })

  test('of more than fit are at even distances, the first, the last and the default one among them', async () => {
    const wide = await facts()
    const [, conv, relu] = wide.taps
    if (conv === undefined || relu === undefined) throw new Error('the tiny network has lost its layers')
    const taps = Array.from({ length: 200 }, (_, at) => ({ ...conv, id: `layer ${at}` }))
    const many = { ...wide, taps, defaultTap: 'layer 151' }
    const chosen = stripOf(gradCam, many, 5).map(({ id }) => id)
    expect(chosen).toEqual(['layer 0', 'layer 50', 'layer 100', 'layer 151', 'layer 199'])
  })

  test('hold a tensor and the map of it once', async () => {
    const { taps, ...rest } = await facts()
    const [, conv] = taps
    if (conv === undefined) throw new Error('the tiny network has lost its layers')
    const twice = {
      ...rest,
      taps: [
        { ...conv, id: 'it' },
        { ...conv, id: 'it/map', mapOf: 'it' },
      ],
      defaultTap: 'it/map',
    }
    expect(stripOf(gradCam, twice, 60).map(({ id }) => id)).toEqual(['it/map'])
  })

  test('are none for a method that is asked at none', async () => {
    const model = await facts()
    expect(() => stripOf(rise, model, 60)).toThrow(
      'RISE explains the model as a whole and is asked at no layer by itself.',
    )
    expect(() => tapsAt(rise, ['relu1'], model)).toThrow('asked at no layer')
    expect(() => tapsAt(attentionRollout, ['relu1'], model)).toThrow('follows the attention of all layers at once')
    expect(() => tapsAt(gradCam, ['relu1', 'relu2', 'relu1'], model)).toThrow('"relu1" is asked for twice')
  })
})

test('what several cost: a pass for each target where the layers share it, else every map', async () => {
  const model = await factsOf(new TinyCnn(), { title: 'Tiny', preprocessing: AS_IT_IS })
  const own = placeFor(gradCam, null, model)
  const places = placesAt({ layers: [...LAYERS], targets: [logit(0), logit(1)] }, own, gradCam, model)
  const dearest = (tap: { readonly id: string } | null) => (tap?.id === 'conv1' ? 7 : 1)
  expect(costOfAll(gradCam, places, dearest)).toBe(14)
  expect(costOfAll(cam, places, dearest)).toBe(2 * (1 + 7 + 1))
})
