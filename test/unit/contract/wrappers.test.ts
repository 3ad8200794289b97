/** What the contract gives to whoever writes a method: wrappers over any that reads once, one line to be found by, short files. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Question, Tap } from '../../../lib/engine/model.ts'
import { explain } from '../../../lib/explain.ts'
import { decodeImage, type DecodedImage } from '../../../lib/image/decode.ts'
import type { ImageContext } from '../../../lib/methods/context.ts'
import { gradCam } from '../../../lib/methods/image/grad-cam.ts'
import { METHODS } from '../../../lib/methods/index.ts'
import { methodFor } from '../../../lib/methods/find.ts'
import type { ImageMethod, Method } from '../../../lib/methods/method.ts'
import { listModels } from '../../../lib/models/catalogue.ts'
import { loadModel, type LoadedModel } from '../../../lib/models/load.ts'
import { prepareImage, type RunParts } from '../../../lib/prepare.ts'
import { classTarget, type Target } from '../../../lib/target/target.ts'
import type { FloatTensor } from '../../../lib/tensor/tensor.ts'
import { mapsOver } from '../../helpers/several.ts'
import { fakeContext, fakeModel } from '../methods/text/fake-model.ts'
import { deepLift } from '../../../lib/methods/image/deep-lift.ts'

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

/** One of each sort: a wrapper of either modality, bent rules, masks, samples, a curve, the method asked again. */
const SHORT = [
  'methods/image/smooth-grad.ts',
  'methods/text/smooth-grad.ts',
  'methods/image/deep-lift.ts',
  'methods/image/occlusion.ts',
  'methods/text/lime.ts',
  'metrics/image/deletion.ts',
  'metrics/image/max-sensitivity.ts',
]

test.each(SHORT)('%s is one file of fewer than 100 lines', (file) => {
  expect(readFileSync(join(root, 'lib', file), 'utf8').split('\n').length).toBeLessThan(100)
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
  const { maps } = await mapsOver(gradCam, { ...of, model: counting }, taps, targets, { layer: null })
  expect(asked).toHaveLength(1)
  expect(taps).toHaveLength(3)
  for (const tap of taps)
    for (const [at, target] of targets.entries())
      expectClose(maps.get(tap.id)?.[at], (await mapOf(gradCam, { layer: tap.id }, target)).data)
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
