/** The image methods on the bundled model and the sample photographs: the maps lie where the animal is. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { decodeImage } from '../../../../lib/image/decode.ts'
import { preprocessImage } from '../../../../lib/image/preprocess.ts'
import { METHODS } from '../../../../lib/methods/index.ts'
import { cam } from '../../../../lib/methods/image/cam.ts'
import { gradCam } from '../../../../lib/methods/image/grad-cam.ts'
import { kernelShap } from '../../../../lib/methods/image/kernel-shap.ts'
import { lime } from '../../../../lib/methods/image/lime.ts'
import { occlusion } from '../../../../lib/methods/image/occlusion.ts'
import { rise } from '../../../../lib/methods/image/rise.ts'
import { xrai } from '../../../../lib/methods/image/xrai.ts'
import type { ImageMethod, ImageResult } from '../../../../lib/methods/method.ts'
import { listModels } from '../../../../lib/models/catalogue.ts'
import { loadModel } from '../../../../lib/models/load.ts'
import type { LoadedModel } from '../../../../lib/models/load.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { PECULIAR } from './peculiar.ts'

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

async function explained(
  method: ImageMethod,
  sample: string,
  index: number,
  params: Readonly<Record<string, unknown>> = PECULIAR[method.id]?.quick ?? {},
): Promise<ImageResult> {
  const { preprocessing } = loaded.entry.card
  if (preprocessing.kind !== 'image') throw new Error('pets-cnn reads pictures')
  const image = await decodeImage(readFileSync(`${root}/public/samples/${sample}.jpg`))
  const { feed } = await preprocessImage(image, preprocessing)
  return runImageMethod(method, loaded.model, {
    index,
    feeds: { [loaded.model.inputs[0] ?? '']: feed },
    preprocessing,
    params,
  })
}

it.each([
  { sample: 'chelsea', label: CAT },
  { sample: 'kitten', label: CAT },
  { sample: 'german-shepherd', label: DOG },
])('$sample is recognised', async ({ sample, label }) => {
  const { logits } = await explained(gradCam, sample, label)
  expect(logits.data[label]).toBeGreaterThan(logits.data[1 - label] ?? NaN)
})

const IMAGE_METHODS = METHODS.filter((method): method is ImageMethod => method.modality === 'image')
/** CAMs of what a person sees at a late layer; what single pixels say is measured over many pictures (docs/quality.md). */
const CAMS = IMAGE_METHODS.filter(
  ({ family, needs }) => family === 'CAM' && !needs.some(({ place }) => place === 'input'),
)
/** What a test can wait for: a few passes of this network. */
const PASSES = 100
const FACTS = { tap: null, classes: 2, tokens: 0, pixels: 224 * 224 }
const affordable = (methods: readonly ImageMethod[]): readonly ImageMethod[] =>
  methods.filter((method) => method.cost(method.params.parse(PECULIAR[method.id]?.quick ?? {}), FACTS) <= PASSES)

it.each(affordable(CAMS))('$id finds the kitten by its head', async (method) => {
  const { map } = await explained(method, 'kitten', CAT)
  const [height = 0, width = 0] = map.dims
  const peak = map.data.indexOf(Math.max(...map.data))
  const [x, y] = [((peak % width) + 0.5) / width, (Math.floor(peak / width) + 0.5) / height]
  // The head covers 0.18 to 0.45 of the width and 0.13 to 0.46 of the height.
  expect(x).toBeGreaterThan(0.18)
  expect(x).toBeLessThan(0.45)
  expect(y).toBeGreaterThan(0.13)
  expect(y).toBeLessThan(0.46)
})

it.each([
  [occlusion.id, occlusion, { window: 56, stride: 28 }],
  [rise.id, rise, { masks: 100 }],
  [lime.id, lime, { samples: 60, segments: 12 }],
  [kernelShap.id, kernelShap, { samples: 60, segments: 12 }],
  [xrai.id, xrai, { steps: 4 }],
] as const)('%s: the head of the kitten counts for more than the rest', async (_, method, params) => {
  const { map } = await explained(method, 'kitten', CAT, params)
  const [height = 0, width = 0] = map.dims
  const means = { head: [0, 0], rest: [0, 0] }
  map.data.forEach((value, at) => {
    const [x, y] = [(at % width) / width, Math.floor(at / width) / height]
    const sum = x > 0.18 && x < 0.45 && y > 0.13 && y < 0.46 ? means.head : means.rest
    sum[0] = (sum[0] ?? 0) + value
    sum[1] = (sum[1] ?? 0) + 1
  })
  const [head, rest] = [means.head, means.rest].map(([sum = NaN, count = NaN]) => sum / count) as [number, number]
  expect(head).toBeGreaterThan(rest)
  if (method.id !== 'rise') expect(head).toBeGreaterThan(2 * rest)
})

it.each(affordable(IMAGE_METHODS.filter((method) => !CAMS.includes(method))))(
  '$id says something of each part of a real photograph',
  async (method) => {
    const { map, layer } = await explained(method, 'kitten', CAT)
    if (layer === null) expect(map.dims).toEqual([224, 224])
    expect(map.data.every(Number.isFinite)).toBe(true)
    expect(new Set(map.data).size).toBeGreaterThan(10)
  },
)

it('CAM is 14 * 14 times Grad-CAM', async () => {
  const plain = await explained(cam, 'german-shepherd', DOG)
  const gradient = await explained(gradCam, 'german-shepherd', DOG)
  const largest = Math.max(...plain.map.data.map(Math.abs))
  plain.map.data.forEach((value, at) => {
    expect(Math.abs((gradient.map.data[at] ?? NaN) * 196 - value) / largest).toBeLessThan(1e-4)
  })
})
