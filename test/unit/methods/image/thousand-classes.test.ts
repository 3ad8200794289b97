/** efficientnet-lite0 on a sample photograph, against PyTorch's float32 with the same weights (models/efficientnet-lite0/recipe/export.py). */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { loadOnnxModel } from '../../../../lib/engine/onnx/model/load.ts'
import { decodeImage } from '../../../../lib/image/decode.ts'
import { preprocessImage } from '../../../../lib/image/preprocess.ts'
import { cam } from '../../../../lib/methods/image/cam.ts'
import { gradCam } from '../../../../lib/methods/image/grad-cam.ts'
import { listModels } from '../../../../lib/models/catalogue.ts'
import { loadModel, type LoadedModel } from '../../../../lib/models/load.ts'
import { asFloat, float32, type FloatTensor } from '../../../../lib/tensor/tensor.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { NETWORK_GRADIENT, relativeDifference } from '../../../helpers/tolerance.ts'

const root = `${import.meta.dirname}/../../../..`
const rows = z.array(z.array(z.number()))
const golden = z
  .object({
    picture: z.string(),
    decodedSha256: z.string(),
    feed: z.object({ mean: z.array(z.number()), corners: rows }),
    target: z.int(),
    label: z.string(),
    logits: z.array(z.number()).length(1000),
    tap: z.string(),
    inputGradient: z.object({ norm: z.number(), cells: z.array(rows), absolute: z.array(rows) }),
    gradCam: rows,
    cam: rows,
  })
  .parse(JSON.parse(readFileSync(`${root}/models/efficientnet-lite0/golden.json`, 'utf8')))

const SIDE = 224
const CELL = 32
let loaded: LoadedModel
let feed: FloatTensor
let decodedSha256: string

beforeAll(async () => {
  const entry = (await listModels(`${root}/models`)).find(({ id }) => id === 'efficientnet-lite0')
  if (entry?.card.preprocessing.kind !== 'image') throw new Error('models/efficientnet-lite0 is missing')
  loaded = await loadModel(entry)
  const image = await decodeImage(readFileSync(`${root}/public/samples/${golden.picture}`))
  decodedSha256 = createHash('sha256').update(image.rgb).digest('hex')
  feed = (await preprocessImage(image, entry.card.preprocessing)).feed
})
afterAll(() => loaded.model.dispose())

const asked = () => ({ index: golden.target, feeds: { image: feed } })

/** Sums over cells of 32 x 32 pixels: [1, 3, 224, 224] -> [3, 7, 7]. */
function cellsOf({ data }: FloatTensor, part: (value: number) => number): number[] {
  const across = SIDE / CELL
  const cells = new Array<number>(3 * across * across).fill(0)
  data.forEach((value, at) => {
    const [channel, y, x] = [Math.floor(at / (SIDE * SIDE)), Math.floor(at / SIDE) % SIDE, at % SIDE]
    const cell = (channel * across + Math.floor(y / CELL)) * across + Math.floor(x / CELL)
    cells[cell] = (cells[cell] ?? 0) + part(value)
  })
  return cells
}

it('the picture is what Pillow decodes, and the feed what Pillow’s bicubic filter makes of it', () => {
  expect(decodedSha256).toBe(golden.decodedSha256)
  const plane = SIDE * SIDE
  for (const channel of [0, 1, 2]) {
    const values = feed.data.subarray(channel * plane, (channel + 1) * plane)
    const mean = values.reduce((sum, value) => sum + value, 0) / plane
    expect(mean).toBeCloseTo(golden.feed.mean[channel] ?? NaN, 4)
    // 1e-3 of the range of a feed, 255 / 128.
    const corners = [0, SIDE - 1, plane - SIDE, plane - 1].map((at) => values[at])
    golden.feed.corners[channel]?.forEach((value, at) =>
      expect(Math.abs((corners[at] ?? NaN) - value)).toBeLessThan(2e-3),
    )
  }
})

it('logits are PyTorch’s, and the dog is recognised', async () => {
  const { logits } = await runImageMethod(gradCam, loaded.model, asked())
  expect(relativeDifference(logits.data, golden.logits)).toBeLessThan(NETWORK_GRADIENT)
  expect(logits.data.indexOf(Math.max(...logits.data))).toBe(golden.target)
  expect(loaded.entry.card.labels[golden.target]).toBe(golden.label)
})

it('no two classes are called alike, even where case does not count', () => {
  expect(new Set(loaded.entry.card.labels.map((label) => label.toLowerCase())).size).toBe(1000)
})

it('the layer that the engine chooses by itself is the last map, behind its ReLU6', async () => {
  const model = await loadOnnxModel(loaded.entry.file)
  expect(model.defaultTap).toBe(golden.tap)
  expect(loaded.facts.defaultTap).toBe(golden.tap)
  expect(model.taps.find(({ id }) => id === golden.tap)?.shape.slice(1)).toEqual([1280, 7, 7])
  await model.dispose()
})

it('the gradient at the input is PyTorch’s', async () => {
  const { model } = loaded
  const seed = new Float32Array(1000)
  seed[golden.target] = 1
  const of = { [model.logits]: float32(seed, [1, 1000]) }
  const answer = await model.ask({ feeds: { image: feed }, read: [], gradient: { of, wrt: ['image'] } })
  const gradient = asFloat(answer.gradients['image'] ?? float32([], [0]), 'image')
  const { norm, cells, absolute } = golden.inputGradient
  expect(Math.sqrt(gradient.data.reduce((sum, value) => sum + value * value, 0)) / norm).toBeCloseTo(1, 4)
  expect(relativeDifference(cellsOf(gradient, Math.abs), absolute.flat(2))).toBeLessThan(NETWORK_GRADIENT)
  expect(relativeDifference(cellsOf(gradient, Number), cells.flat(2))).toBeLessThan(NETWORK_GRADIENT)
})

describe.each([
  { method: gradCam, expected: golden.gradCam },
  { method: cam, expected: golden.cam },
])('$method.id', ({ method, expected }) => {
  it('is PyTorch’s', async () => {
    const { map } = await runImageMethod(method, loaded.model, asked())
    expect(map.dims).toEqual([7, 7])
    const rectified = map.data.map((value) => Math.max(value, 0))
    const wanted = expected.flat().map((value) => Math.max(value, 0))
    expect(relativeDifference(rectified, wanted)).toBeLessThan(NETWORK_GRADIENT)
  })
})
