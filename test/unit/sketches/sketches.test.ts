/**
 * Methods and a metric that are not in the product, written against its contract from the outside: each is one file of fewer
 * than 100 lines, and right by a slow literal reference.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Question, Tap } from '../../../lib/engine/model.ts'
import { evaluate } from '../../../lib/evaluate.ts'
import { explain } from '../../../lib/explain.ts'
import { decodeImage, type DecodedImage } from '../../../lib/image/decode.ts'
import type { ImageContext } from '../../../lib/methods/context.ts'
import { gradCam } from '../../../lib/methods/image/grad-cam.ts'
import { METHODS } from '../../../lib/methods/index.ts'
import { methodFor } from '../../../lib/methods/find.ts'
import type { ImageMethod, Method } from '../../../lib/methods/method.ts'
import { overLayersAndTargets, readingOf } from '../../../lib/methods/shared/vary.ts'
import { listModels } from '../../../lib/models/catalogue.ts'
import { loadModel, type LoadedModel } from '../../../lib/models/load.ts'
import { prepareImage, type RunParts } from '../../../lib/prepare.ts'
import { upsampleBilinear } from '../../../lib/render/upsample.ts'
import { softmax } from '../../../lib/target/links.ts'
import { classTarget, type Target } from '../../../lib/target/target.ts'
import { float32, row, type FloatTensor } from '../../../lib/tensor/tensor.ts'
import { fakeContext, fakeModel } from '../methods/text/fake-model.ts'
import { deletion } from './deletion.ts'
import { maxSensitivity } from './max-sensitivity.ts'

const root = join(import.meta.dirname, '../../..')
let loaded: LoadedModel
let picture: DecodedImage

beforeAll(async () => {
  const entry = (await listModels(join(root, 'models'))).find(({ id }) => id === 'pets-cnn')
  if (entry === undefined) throw new Error('models/pets-cnn is missing')
  loaded = await loadModel(entry)
  picture = await decodeImage(readFileSync(join(root, 'public/samples/kitten.jpg')))
})
afterAll(() => loaded.model.dispose())

const hooks = () => ({ signal: new AbortController().signal, progress: () => undefined, now: () => 0 })

async function context(method: ImageMethod, target: Target, layer: string | null = null): Promise<ImageContext> {
  const { preprocessing } = loaded.entry.card
  if (preprocessing.kind !== 'image') throw new Error('pets-cnn reads pictures')
  const parts: RunParts = { target, seed: 3, ...hooks() }
  return (await prepareImage(loaded, picture, preprocessing, { of: method, params: { layer } }, parts)).context
}
/** The map of the product's own path from a picture to a result. */
async function mapOf(method: Method, params: object, target = classTarget(0)): Promise<FloatTensor> {
  const image = { kind: 'image', image: picture } as const
  const { attribution } = await explain(loaded, image, { method, params, target, seed: 3 }, hooks())
  if (attribution.kind !== 'image') throw new Error('a map was expected')
  return attribution.map
}
function expectClose(found: FloatTensor | undefined, expected: ArrayLike<number>, tolerance = 1e-5): void {
  const largest = Math.max(...Array.from(expected, Math.abs))
  expect(largest).toBeGreaterThan(0)
  expect(found?.data.length).toBe(expected.length)
  found?.data.forEach((one, at) => expect(Math.abs(one - (expected[at] ?? NaN))).toBeLessThan(tolerance * largest))
}
/** A layer with few channels, for the slow references. */
const EARLY = 'conv1_relu'

test('each is one file of fewer than 100 lines', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => !name.endsWith('.test.ts'))
  expect(files.sort()).toEqual(['deletion.ts', 'max-sensitivity.ts'])
  for (const file of files)
    expect(readFileSync(join(import.meta.dirname, file), 'utf8').split('\n').length, file).toBeLessThan(100)
})

test('one more line in a list is all that the look-up, the forms and the run need', async () => {
  const another = { ...gradCam, id: 'another' }
  const methods = [...METHODS, another]
  expect(methodFor(methods, 'image', 'another')).toBe(another)
  expect(methodFor(methods, 'text', 'another')).toBeNull()
  expect((await mapOf(another, { layer: EARLY })).data.every(Number.isFinite)).toBe(true)
})

test('any method over several layers and classes, in one question', async () => {
  const asked: Question[] = []
  const of = await context(gradCam, classTarget(null))
  const taps = of.facts.taps.filter((tap: Tap) => tap.spatial && tap.kind === 'activation').slice(-3)
  const targets = [classTarget(0), classTarget(1)]
  const counting = { ...of.model, ask: (question: Question) => (asked.push(question), loaded.model.ask(question)) }
  const { attributions } = await overLayersAndTargets({ ...of, model: counting }, taps, targets, (one) =>
    readingOf(gradCam, one, { layer: null }),
  )
  expect(asked).toHaveLength(1)
  expect(taps).toHaveLength(3)
  for (const tap of taps)
    for (const [at, target] of targets.entries())
      expectClose(attributions.get(tap.id)?.[at], (await mapOf(gradCam, { layer: tap.id }, target)).data)
})

test('deletion takes the pixels away in the order of the map', async () => {
  const attribution = await mapOf(gradCam, {})
  const parts: RunParts = { target: classTarget(null), seed: 0, ...hooks() }
  const judge = (map: FloatTensor) =>
    evaluate(
      loaded,
      { kind: 'image', image: picture },
      { metric: deletion, params: { steps: 4 }, attribution: map, by: { method: gradCam, params: {} }, ...parts },
    )
  const { value, curve } = await judge(attribution)
  const of = await context(gradCam, classTarget(null))
  const { head, picture: clean, units } = of
  const [, , height = 0, width = 0] = clean.dims
  const black = units.colour([0, 0, 0]).data
  const shown = upsampleBilinear(attribution, width, height).data
  const ranks = Array.from(shown.keys()).sort((a, b) => (shown[b] ?? 0) - (shown[a] ?? 0) || a - b)
  let index = -1
  for (const [step, share] of [0, 0.25, 0.5, 0.75, 1].entries()) {
    const gone = new Set(ranks.slice(0, Math.round(share * ranks.length)))
    const seen = clean.data.map((one, at) => (gone.has(at % ranks.length) ? (black[at] ?? NaN) : one))
    const answer = await loaded.model.ask({ feeds: { [of.input]: float32(seen, clean.dims) }, read: [head.logits] })
    const p = softmax(row(answer.values[head.logits] as FloatTensor, 0).data)
    if (index < 0) index = p.indexOf(Math.max(...p))
    expect(curve?.value[step]).toBeCloseTo(p[index] ?? NaN, 4)
  }
  const worst = await judge(
    float32(
      attribution.data.map((one) => -one),
      attribution.dims,
    ),
  )
  expect(deletion.better).toBe('lower')
  expect(value).toBeLessThan(worst.value)
})

test('max-sensitivity asks the same method again, at neighbours of the picture', async () => {
  const attribution = await mapOf(gradCam, { layer: EARLY })
  const judge = (radius: number) =>
    evaluate(
      loaded,
      { kind: 'image', image: picture },
      {
        metric: maxSensitivity,
        params: { samples: 3, radius },
        attribution,
        by: { method: gradCam, params: { layer: EARLY } },
        target: classTarget(0),
        seed: 0,
        ...hooks(),
      },
    )
  expect((await judge(0)).value).toBe(0) // the same layer, the same class, the same bytes
  const [near, far] = [await judge(0.005), await judge(0.1)]
  expect(near.value).toBeGreaterThan(0)
  expect(far.value).toBeGreaterThan(near.value)
})

test('a text method is told which of the inputs holds what', () => {
  const { roles, feedsFor } = fakeContext(fakeModel())
  expect(roles).toMatchObject({ ids: 'ids', mask: 'mask', segments: null, positions: null })
  const { feeds, lengths } = feedsFor([
    [101, 7, 102],
    [101, 102],
  ])
  expect(Array.from(feeds[roles.ids]?.data ?? [], Number)).toEqual([101, 7, 102, 101, 102, 0])
  expect(Array.from(feeds['mask']?.data ?? [], Number)).toEqual([1, 1, 1, 1, 1, 0])
  expect(lengths).toEqual([3, 2])
})

test('an attribution that is not of this input is no verdict', async () => {
  const request = {
    metric: deletion,
    params: {},
    by: { method: gradCam, params: {} },
    target: classTarget(null),
    seed: 0,
    ...hooks(),
  }
  const image = { kind: 'image', image: picture } as const
  await expect(evaluate(loaded, image, { ...request, attribution: float32([1, 2], [2]) })).rejects.toMatchObject({
    code: 'BAD_INPUT',
  })
  const text = { kind: 'text', text: 'words' } as const
  await expect(evaluate(loaded, text, { ...request, attribution: float32([1, 2], [2]) })).rejects.toMatchObject({
    code: 'WRONG_MODALITY',
  })
})
