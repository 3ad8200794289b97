/** The image methods on the bundled model and the sample photographs: the maps lie where the animal is. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { decodeImage } from '../../../../lib/image/decode.ts'
import { preprocessImage } from '../../../../lib/image/preprocess.ts'
import { METHODS } from '../../../../lib/methods/index.ts'
import { cam } from '../../../../lib/methods/image/cam.ts'
import { gradCam } from '../../../../lib/methods/image/grad-cam.ts'
import type { ImageMethod, ImageResult } from '../../../../lib/methods/method.ts'
import { listModels } from '../../../../lib/models/catalogue.ts'
import { loadModel } from '../../../../lib/models/load.ts'
import type { LoadedModel } from '../../../../lib/models/load.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'

const root = `${import.meta.dirname}/../../../..`
const CAT = 0
const DOG = 1
let loaded: LoadedModel

beforeAll(async () => {
  const entry = (await listModels(`${root}/models`)).find(({ id }) => id === 'pets-cnn')
  if (entry === undefined) throw new Error('models/pets-cnn is missing')
  loaded = await loadModel(entry)
})
afterAll(() => loaded.model.dispose())

async function explained(method: ImageMethod, sample: string, index: number): Promise<ImageResult> {
  const { preprocessing } = loaded.entry.card
  if (preprocessing.kind !== 'image') throw new Error('pets-cnn reads pictures')
  const image = await decodeImage(readFileSync(`${root}/public/samples/${sample}.jpg`))
  const { feed } = await preprocessImage(image, preprocessing)
  return runImageMethod(method, loaded.model, { index, preprocessing, feeds: { [loaded.model.inputs[0] ?? '']: feed } })
}

it.each([
  { sample: 'chelsea', label: CAT },
  { sample: 'kitten', label: CAT },
  { sample: 'german-shepherd', label: DOG },
])('$sample is recognised', async ({ sample, label }) => {
  const { logits } = await explained(gradCam, sample, label)
  expect(logits.data[label]).toBeGreaterThan(logits.data[1 - label] ?? NaN)
})

/** What a test can wait for. Dearer methods have a test of their own. */
const PASSES = 500

const affordable = METHODS.filter((method): method is ImageMethod => method.modality === 'image').filter(
  (method) => method.cost(method.params.parse({}), { tap: null, classes: 2, tokens: 0, pixels: 224 * 224 }) <= PASSES,
)

/** What speaks for the class, as sums over a grid that every map has room for: a gradient at single pixels is noise. */
function onGrid({ dims, data }: ImageResult['map'], cells: number): number[] {
  const [height = 0, width = 0] = dims
  const sums = new Array<number>(cells * cells).fill(0)
  data.forEach((value, at) => {
    const [row, column] = [
      Math.floor((Math.floor(at / width) * cells) / height),
      Math.floor(((at % width) * cells) / width),
    ]
    sums[row * cells + column] = (sums[row * cells + column] ?? 0) + Math.max(0, value)
  })
  return sums
}

it.each(affordable)('$id finds the kitten by its head', async (method) => {
  const { map, layer } = await explained(method, 'kitten', CAT)
  const tap = loaded.model.taps.find(({ id }) => id === layer)
  const atLayer = tap?.spatial === true && tap.kind !== 'input'
  if (atLayer) expect(map.dims).toEqual([14, 14])
  const cells = Math.min(14, ...map.dims)
  const sums = onGrid(map, cells)
  const peak = sums.indexOf(Math.max(...sums))
  const [x, y] = [((peak % cells) + 0.5) / cells, (Math.floor(peak / cells) + 0.5) / cells]
  // The head covers 0.18 to 0.45 of the width and 0.13 to 0.46 of the height.
  expect(x).toBeGreaterThan(0.18)
  expect(x).toBeLessThan(0.45)
  expect(y).toBeGreaterThan(0.13)
  expect(y).toBeLessThan(0.46)
})

it('CAM is 14 * 14 times Grad-CAM', async () => {
  const plain = await explained(cam, 'german-shepherd', DOG)
  const gradient = await explained(gradCam, 'german-shepherd', DOG)
  const largest = Math.max(...plain.map.data.map(Math.abs))
  plain.map.data.forEach((value, at) => {
    expect(Math.abs((gradient.map.data[at] ?? NaN) * 196 - value) / largest).toBeLessThan(1e-4)
  })
})
