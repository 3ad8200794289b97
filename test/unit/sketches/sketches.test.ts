/**
 * Methods and a metric that are not in the product, written against its contract from the outside: each is one file of fewer
 * than 100 lines, and right by a slow literal reference.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Question, Tap } from '../../../lib/engine/model.ts'
import { evaluate } from '../../../lib/evaluate.ts'
import { explain } from '../../../lib/explain.ts'
import { decodeImage, type DecodedImage } from '../../../lib/image/decode.ts'
import type { ImageContext } from '../../../lib/methods/context.ts'
import { gradCam } from '../../../lib/methods/image/grad-cam.ts'
import { METHODS } from '../../../lib/methods/index.ts'
import { methodFor } from '../../../lib/methods/find.ts'
import type { ImageMethod, Method } from '../../../lib/methods/method.ts'
import { noisyRows } from '../../../lib/methods/shared/noise-rows.ts'
import { overLayersAndTargets, readingOf } from '../../../lib/methods/shared/vary.ts'
import { gradientNorm } from '../../../lib/methods/text/gradient-norm.ts'
import { listModels } from '../../../lib/models/catalogue.ts'
import { loadModel, type LoadedModel } from '../../../lib/models/load.ts'
import { prepareImage, type RunParts } from '../../../lib/prepare.ts'
import { upsampleBilinear } from '../../../lib/render/upsample.ts'
import { softmax } from '../../../lib/target/links.ts'
import { classTarget, type Target } from '../../../lib/target/target.ts'
import { float32, row, type FloatTensor } from '../../../lib/tensor/tensor.ts'
import { fakeContext, fakeModel } from '../methods/text/fake-model.ts'
import { deepLift } from './deep-lift.ts'
import { deletion } from './deletion.ts'
import { maxSensitivity } from './max-sensitivity.ts'
import { scoreCam } from './score-cam.ts'
import { smoothImage, smoothText } from './smooth-grad.ts'

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
  expect(files.sort()).toEqual(['deep-lift.ts', 'deletion.ts', 'max-sensitivity.ts', 'score-cam.ts', 'smooth-grad.ts'])
  for (const file of files)
    expect(readFileSync(join(import.meta.dirname, file), 'utf8').split('\n').length, file).toBeLessThan(100)
})

test('one more line in a list is all that the look-up, the forms and the run need', async () => {
  const methods = [...METHODS, scoreCam]
  expect(methodFor(methods, 'image', 'score-cam')).toBe(scoreCam)
  expect(methodFor(methods, 'text', 'score-cam')).toBeNull()
  expect((await mapOf(scoreCam, { layer: EARLY })).data.every(Number.isFinite)).toBe(true)
})

describe('SmoothGrad', () => {
  test('of DeepLIFT, at the input, keeps its reference', async () => {
    const [still, alone] = [await mapOf(smoothImage(deepLift), { samples: 2, noise: 0 }), await mapOf(deepLift, {})]
    expectClose(still, alone.data)
  })

  test('of Grad-CAM is the mean of Grad-CAMs of noisy pictures, one by one', async () => {
    const smooth = smoothImage(gradCam)
    const found = await mapOf(smooth, { samples: 11, noise: 0.2 })
    const of = await context(gradCam, classTarget(0))
    const ranges = of.units.highest.map((high, channel) => 0.2 * (high - (of.units.lowest[channel] ?? NaN)))
    const plane = of.picture.data.length / 3
    const { perRow } = noisyRows('input', of.picture, 1, { deviation: 1, seed: 3, purpose: 'noise' })
    let sum: number[] = []
    for (let sample = 0; sample < 11; sample += 1) {
      const noise = perRow({ first: sample, count: 1 })['noise']?.data ?? []
      const noisy = of.picture.data.map((one, at) => one + (ranges[Math.floor(at / plane)] ?? NaN) * (noise[at] ?? NaN))
      const feeds = { [of.input]: float32(noisy, of.picture.dims) }
      const { map } = await gradCam.run({ ...of, feeds }, { layer: null })
      sum = Array.from(map.data, (one, at) => one + (sum[at] ?? 0))
    }
    expectClose(
      found,
      sum.map((one) => one / 11),
      1e-4,
    ) // float32 in another order, through a whole network
    expect(await mapOf(smooth, { samples: 11, noise: 0.2 })).toEqual(found)
  })

  test('of texts with no noise is the method itself', async () => {
    const params = { samples: 3, noise: 0 }
    const alone = await gradientNorm.run(fakeContext(fakeModel()), gradientNorm.params.parse({}))
    const smooth = smoothText(gradientNorm)
    const { scores } = await smooth.run(fakeContext(fakeModel()), params)
    expectClose(scores, (alone as { scores: FloatTensor }).scores.data, 1e-6)
    const noisy = await smooth.run(fakeContext(fakeModel()), { samples: 3, noise: 0.3 })
    expect(noisy.scores.data).not.toEqual(scores.data)
  })
})

test('any method over several layers and classes, in one question', async () => {
  const asked: Question[] = []
  const of = await context(gradCam, classTarget(null))
  const taps = of.facts.taps.filter((tap: Tap) => tap.spatial && tap.kind === 'activation').slice(-3)
  const targets = [classTarget(0), classTarget(1)]
  const counting = { ...of.model, ask: (question: Question) => (asked.push(question), loaded.model.ask(question)) }
  const read = (one: ImageContext) => readingOf(gradCam, one, { layer: null })
  const found = await overLayersAndTargets({ ...of, model: counting }, taps, targets, 8, read)
  expect(asked).toHaveLength(1)
  expect(taps).toHaveLength(3)
  for (const tap of taps)
    for (const [at, target] of targets.entries()) {
      const map = read({ ...of, tap, target }).attribution(found.get(tap.id)?.[at]?.outputs ?? {})
      expectClose(map, (await mapOf(gradCam, { layer: tap.id }, target)).data)
    }
})

test('Score-CAM weighs each channel by the picture behind it', async () => {
  const found = await mapOf(scoreCam, { layer: EARLY })
  const of = await context(scoreCam, classTarget(0), EARLY)
  const { head, picture: clean } = of
  const { values } = await loaded.model.ask({ feeds: of.feeds, read: [EARLY] })
  const map = values[EARLY] as FloatTensor
  const [, channels = 0, height = 0, width = 0] = map.dims
  const [, , rows = 0, columns = 0] = clean.dims
  const scores: number[] = []
  for (let channel = 0; channel < channels; channel += 1) {
    const cells = map.data.slice(channel * height * width, (channel + 1) * height * width)
    const mask = upsampleBilinear(float32(cells, [height, width]), columns, rows).data
    const [least, most] = [Math.min(...mask), Math.max(...mask)]
    const seen = clean.data.map(
      (one, at) => (one * ((mask[at % mask.length] ?? NaN) - least)) / (most > least ? most - least : 1),
    )
    const answer = await loaded.model.ask({ feeds: { [of.input]: float32(seen, clean.dims) }, read: [head.logits] })
    scores.push(answer.values[head.logits]?.data[0] ?? NaN)
  }
  const weights = softmax(scores)
  const expected = Array.from({ length: height * width }, (_, at) =>
    weights.reduce((sum, weight, channel) => sum + weight * (map.data[channel * height * width + at] ?? NaN), 0),
  )
  expectClose(found, expected, 1e-4)
})

test('DeepLIFT adds up to what the picture changed, for every class', async () => {
  const of = await context(deepLift, classTarget(0))
  const { head, units } = of
  const feeds = { [of.input]: units.colour([0, 0, 0]) }
  const { values } = await loaded.model.ask({ feeds: of.feeds, read: [head.logits] })
  const { values: black } = await loaded.model.ask({ feeds, read: [head.logits] })
  for (const index of [0, 1]) {
    const map = await mapOf(deepLift, {}, classTarget(index))
    const added = map.data.reduce((sum, one) => sum + one, 0)
    const changed = (values[head.logits]?.data[index] ?? NaN) - (black[head.logits]?.data[index] ?? NaN)
    expect(Math.abs(changed)).toBeGreaterThan(0.5)
    expect(Math.abs(added - changed) / Math.abs(changed)).toBeLessThan(1e-3)
  }
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
