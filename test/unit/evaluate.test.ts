/** Metrics on pets-cnn, through the product's own path from a picture to a judgement. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { evaluate, type Evaluation, type EvaluateRequest } from '../../lib/evaluate.ts'
import { explain } from '../../lib/explain.ts'
import { decodeImage, type DecodedImage } from '../../lib/image/decode.ts'
import { gradCam } from '../../lib/methods/image/grad-cam.ts'
import { deletion } from '../../lib/metrics/image/deletion.ts'
import { energyInside } from '../../lib/metrics/image/energy-inside.ts'
import { maxSensitivity } from '../../lib/metrics/image/max-sensitivity.ts'
import { mprt } from '../../lib/metrics/image/mprt.ts'
import { roadMost } from '../../lib/metrics/image/road-most.ts'
import type { Marks } from '../../lib/metrics/marks.ts'
import type { Metric } from '../../lib/metrics/metric.ts'
import { listModels } from '../../lib/models/catalogue.ts'
import { loadModel, type LoadedModel } from '../../lib/models/load.ts'
import { prepareImage } from '../../lib/prepare.ts'
import { upsampleBilinear } from '../../lib/render/upsample.ts'
import { softmax } from '../../lib/target/links.ts'
import { classTarget } from '../../lib/target/target.ts'
import { float32, row, type FloatTensor } from '../../lib/tensor/tensor.ts'

const root = join(import.meta.dirname, '../..')
const hooks = () => ({ signal: new AbortController().signal, progress: () => undefined, now: () => 0 })
let loaded: LoadedModel
let image: DecodedImage
let map: FloatTensor

beforeAll(async () => {
  const entry = (await listModels(join(root, 'models'))).find(({ id }) => id === 'pets-cnn')
  if (entry === undefined) throw new Error('models/pets-cnn is missing')
  loaded = await loadModel(entry)
  image = await decodeImage(readFileSync(join(root, 'public/samples/kitten.jpg')))
  const asked = { method: gradCam, params: {}, target: classTarget(null), seed: 0 }
  const { attribution } = await explain(loaded, { kind: 'image', image }, asked, hooks())
  if (attribution.kind !== 'image') throw new Error('a map was expected')
  map = attribution.map
})
afterAll(() => loaded.model.dispose())

const judge = (metric: Metric, more: Partial<EvaluateRequest> = {}): Promise<Evaluation> => {
  const by = { method: gradCam, params: {} }
  const request = { metric, params: {}, attribution: map, by, randomControls: 0, target: classTarget(null), seed: 0 }
  return evaluate(loaded, { kind: 'image', image }, { ...request, ...hooks(), ...more })
}

test('deletion takes the pixels away in the order of the map: one picture at a time says the same', async () => {
  const { curve, value } = await judge(deletion, { params: { steps: 4 } })
  const { preprocessing } = loaded.entry.card
  if (preprocessing.kind !== 'image') throw new Error('pets-cnn reads pictures')
  const parts = { target: classTarget(null), seed: 0, ...hooks() }
  const { context } = await prepareImage(loaded, image, preprocessing, { of: gradCam, params: {} }, parts)
  const { picture, input, head } = context
  const [, , height = 0, width = 0] = picture.dims
  const shown = upsampleBilinear(map, width, height).data
  const ranks = Array.from(shown.keys()).sort((a, b) => (shown[b] ?? 0) - (shown[a] ?? 0) || a - b)
  let index = -1
  for (const [step, share] of [0, 0.25, 0.5, 0.75, 1].entries()) {
    const gone = new Set(ranks.slice(0, share * ranks.length))
    const seen = picture.data.map((one, at) => (gone.has(at % ranks.length) ? 0 : one))
    const answer = await loaded.model.ask({ feeds: { [input]: float32(seen, picture.dims) }, read: [head.logits] })
    const p = softmax(row(answer.values[head.logits] as FloatTensor, 0).data)
    if (index < 0) index = p.indexOf(Math.max(...p))
    expect(curve?.value[step]).toBeCloseTo(p[index] ?? NaN, 4)
  }
  const negative = float32(
    map.data.map((one) => -one),
    map.dims,
  )
  const worst = await judge(deletion, { params: { steps: 4 }, attribution: negative })
  expect(value ?? NaN).toBeLessThan(worst.value ?? NaN)
})

test('max-sensitivity asks the same method again, at neighbours of the picture, for the same class', async () => {
  const at = (radius: number) => judge(maxSensitivity, { params: { samples: 2, radius } })
  expect((await at(0)).value).toBe(0)
  const [near, far] = [await at(0.005), await at(0.1)]
  expect(near.value).toBeGreaterThan(0)
  expect(far.value).toBeGreaterThan(near.value ?? NaN)
  // Edges of a neighbour are other edges; what does not look at the picture does not move.
  const { controls } = await judge(maxSensitivity, { params: { samples: 1 }, randomControls: 2 })
  expect(controls.map(({ id, value }) => [id, (value ?? NaN) > 0])).toEqual([
    ['random', false],
    ['uniform', false],
    ['edges', true],
  ])
})

test('progress rises to 1 over the judgement and its controls; a cancelled one stops', async () => {
  const seen: number[] = []
  const params = { steps: 20 }
  await judge(deletion, { params, randomControls: 2, progress: (fraction) => seen.push(fraction) })
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  expect(seen.at(-1)).toBe(1)
  expect(seen.length).toBeGreaterThan(8)
  // A method that is asked again tells that it is alive, and nothing else.
  const alive: number[] = []
  const two = { params: { samples: 2 }, progress: (fraction: number) => alive.push(fraction) }
  await judge(maxSensitivity, two)
  expect(alive).toEqual([0, 0.5, 0.5, 1, 1])
  const cancel = new AbortController()
  const progress = (): void => cancel.abort()
  const cancelled = judge(deletion, { params, randomControls: 2, progress, signal: cancel.signal })
  await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' })
})

test('imputing leaves no hole: ROAD at the real size is finite and the same again', async () => {
  const params = { steps: 2 }
  const [one, two] = [await judge(roadMost, { params }), await judge(roadMost, { params })]
  expect(one).toEqual(two)
  expect(one.curve?.value.every((p) => p >= 0 && p <= 1)).toBe(true)
})

test('parameter randomisation explains a model that has forgotten, and leaves the loaded one as it is', async () => {
  const { value, curve, controls } = await judge(mprt, { params: { steps: 2 }, randomControls: 2 })
  expect(curve?.share).toEqual([0.5, 1])
  expect(value).toBeLessThan(0.9)
  // What does not look at the model cannot lose what it learnt; what is the same everywhere has no order.
  expect(controls.map(({ id, value: one }) => [id, one])).toEqual([
    ['random', 1],
    ['uniform', null],
    ['edges', 1],
  ])
  expect((await judge(mprt, { params: { steps: 2 } })).value).toBe(value)
  expect((await judge(mprt, { params: { steps: 2 }, seed: 1 })).value).not.toBe(value)
})

test('a mark is needed where one is compared with, and lies where the picture was cut', async () => {
  await expect(judge(energyInside)).rejects.toMatchObject({ code: 'BAD_INPUT' })
  const whole: Marks = { kind: 'boxes', boxes: [{ x: 0, y: 0, width: 1, height: 1 }] }
  expect((await judge(energyInside, { marks: whole })).value).toBeCloseTo(1, 12)
  const half: Marks = { kind: 'boxes', boxes: [{ x: 0, y: 0, width: 0.5, height: 1 }] }
  const { value, controls } = await judge(energyInside, { marks: half, randomControls: 3 })
  expect(value).toBeGreaterThan(0)
  expect(value).toBeLessThan(1)
  expect(controls.find(({ id }) => id === 'uniform')?.value).toBeCloseTo(0.5, 1)
})

test('an attribution that is not of this input is no verdict', async () => {
  const wrong = (attribution: FloatTensor) => judge(deletion, { attribution })
  await expect(wrong(float32([1, 2], [2]))).rejects.toMatchObject({ code: 'BAD_INPUT' })
  await expect(wrong(float32([NaN], [1, 1]))).rejects.toMatchObject({ code: 'BAD_INPUT' })
  const by = { method: gradCam, params: {} }
  const request = { metric: deletion, params: {}, attribution: map, by, target: classTarget(null), seed: 0, ...hooks() }
  await expect(evaluate(loaded, { kind: 'text', text: 'words' }, request)).rejects.toMatchObject({
    code: 'WRONG_MODALITY',
  })
})
