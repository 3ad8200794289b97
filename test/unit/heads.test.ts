/** Whole models with every kind of head, explained from a picture, against what PyTorch and the files themselves say. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { explain, type Explanation } from '../../lib/explain.ts'
import { decodeImage } from '../../lib/image/decode.ts'
import { preprocessImage } from '../../lib/image/preprocess.ts'
import { cam } from '../../lib/methods/image/cam.ts'
import { gradCam } from '../../lib/methods/image/grad-cam.ts'
import type { ImageMethod } from '../../lib/methods/method.ts'
import type { ModelCard } from '../../lib/models/card.ts'
import { readModelFolder } from '../../lib/models/catalogue.ts'
import { loadModel, type LoadedModel } from '../../lib/models/load.ts'
import { notesOn } from '../../lib/note-model.ts'
import { classTarget } from '../../lib/target/target.ts'
import { FLOAT32, relativeDifference } from '../helpers/tolerance.ts'

const FOLDER = 'test/fixtures/heads'
const picture = await decodeImage(await readFile(join(FOLDER, 'pic.png')))
const truth = JSON.parse(await readFile(join(FOLDER, 'truth.json'), 'utf8')) as Record<
  'logits' | 'softmax' | 'sigmoid',
  number[]
>

/** Opens a model, its card changed, for one use. */
async function using<T>(
  name: string,
  change: Partial<ModelCard>,
  use: (loaded: LoadedModel) => Promise<T>,
): Promise<T> {
  const [entry] = await readModelFolder(join(process.cwd(), FOLDER, name))
  if (entry === undefined) throw new RangeError(name)
  const loaded = await loadModel({ ...entry, card: { ...entry.card, ...change } }, { threads: 1 })
  try {
    return await use(loaded)
  } finally {
    await loaded.model.dispose()
  }
}

function explained(loaded: LoadedModel, method: ImageMethod, index: number | null = null): Promise<Explanation> {
  return explain(
    loaded,
    { kind: 'image', image: picture },
    { method, params: {}, target: classTarget(index), seed: 0 },
    { signal: new AbortController().signal, progress: () => undefined, now: () => 0 },
  )
}

const inOrder = ({ predictions }: Explanation): Explanation['predictions'] =>
  predictions.toSorted((a, b) => a.index - b.index)

function mapOf({ attribution }: Explanation): Float32Array {
  if (attribution.kind !== 'image') throw new TypeError('no map')
  return attribution.map.data
}

/** What a file answers on its own, in plain ONNX Runtime, by output. */
async function answers(name: string, { entry }: LoadedModel): Promise<Record<string, number[]>> {
  const { preprocessing } = entry.card
  if (preprocessing.kind !== 'image') throw new TypeError(name)
  const { feed } = await preprocessImage(picture, preprocessing)
  const session = await InferenceSession.create(entry.file)
  const [input = ''] = session.inputNames
  const results = await session.run({ [input]: new Tensor('float32', feed.data, feed.dims) })
  return Object.fromEntries(session.outputNames.map((one) => [one, Array.from(results[one]?.data as Float32Array)]))
}

/** Logits, probabilities and map are PyTorch's. */
async function isTruth(loaded: LoadedModel, link: 'softmax' | 'sigmoid', index: number | null): Promise<void> {
  const plain = await using('c-plain', {}, (one) => explained(one, gradCam, index))
  const found = await explained(loaded, gradCam, index)
  const logits = inOrder(found).map(({ logit }) => logit)
  const probabilities = inOrder(found).map(({ probability }) => probability ?? NaN)
  expect(found.link).toBe(link)
  expect(relativeDifference(logits, truth.logits)).toBeLessThan(1e-4)
  expect(relativeDifference(probabilities, truth[link])).toBeLessThan(1e-4)
  expect(relativeDifference(mapOf(found), mapOf(plain))).toBeLessThan(FLOAT32)
}

const SPELLED = ['c-plain', 'c-softmax-4d', 'c-softmax-identity', 'c-softmax-parts', 'c-softmax-qdq']

test.each(SPELLED)('%s: the logits before its softmax, and the map of the plain model', async (name) => {
  await using(name, {}, async (loaded) => {
    await isTruth(loaded, 'softmax', null)
    expect(loaded.model.linkBasis).toBe(name === 'c-plain' ? 'assumed' : 'graph')
    expect(await notesOn(loaded)).toEqual([])
  })
})

test('independent sigmoids: each class has a probability for itself, and its logit is explained', async () => {
  await using('c-multilabel', {}, (loaded) => isTruth(loaded, 'sigmoid', 2))
})

test('one sigmoid for two labels: both are predicted, and both explained, with opposite signs', async () => {
  await using('c-binary', {}, async (loaded) => {
    const [p = NaN] = (await answers('c-binary', loaded))['p'] ?? []
    expect(p).toBeCloseTo(0.434, 3)
    for (const method of [gradCam, cam]) {
      const [cat, dog] = [await explained(loaded, method, 0), await explained(loaded, method, 1)]
      expect(inOrder(cat).map(({ label }) => label)).toEqual(['cat', 'dog'])
      const [first, second] = inOrder(cat)
      expect(first?.probability).toBeCloseTo(1 - p, 5)
      expect(second?.probability).toBeCloseTo(p, 5)
      expect(cat.scalar).toBeCloseTo(Math.log((1 - p) / p), 4)
      expect(dog.scalar).toBeCloseTo(-cat.scalar, 6)
      expect(
        relativeDifference(
          mapOf(dog),
          mapOf(cat).map((value) => -value),
        ),
      ).toBeLessThan(FLOAT32)
      expect(mapOf(dog).some((value) => value !== 0)).toBe(true)
      expect((await explained(loaded, method)).target?.label).toBe('cat')
    }
  })
})

test('one sigmoid for one label is that label, and a card may call it a value', async () => {
  await using('c-binary', { labels: ['dog'] }, async (loaded) => {
    const found = await explained(loaded, gradCam)
    expect(found.link).toBe('sigmoid')
    expect(found.predictions.map(({ label, probability }) => [label, probability?.toFixed(3)])).toEqual([
      ['dog', '0.434'],
    ])
  })
  await using('c-binary', { labels: ['quality'], problemType: 'regression' }, async (loaded) => {
    const [p = NaN] = (await answers('c-binary', loaded))['p'] ?? []
    const found = await explained(loaded, gradCam)
    expect(found.link).toBe('none')
    expect(found.predictions).toEqual([{ index: 0, label: 'quality', logit: expect.closeTo(p, 6), probability: null }])
    expect(found.scalar).toBeCloseTo(p, 6)
  })
})

test.each([
  ['c-embedding-first', 'probabilities', (logits: number[], answer: number[]) => softmaxError(logits, answer)],
  ['c-aux-first', 'predictions', (logits: number[], answer: number[]) => relativeDifference(logits, answer)],
])('%s: the output %s is explained', async (name, output, error) => {
  await using(name, {}, async (loaded) => {
    const logits = inOrder(await explained(loaded, gradCam)).map(({ logit }) => logit)
    expect(error(logits, (await answers(name, loaded))[output] ?? [])).toBeLessThan(FLOAT32)
  })
})

function softmaxError(logits: readonly number[], answer: readonly number[]): number {
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0)
  return relativeDifference(
    logits.map((logit) => Math.exp(logit) / total),
    answer,
  )
}

test('the card names an output: that one', async () => {
  await using('c-aux-first', { output: 'aux' }, async (loaded) => {
    const logits = inOrder(await explained(loaded, gradCam)).map(({ logit }) => logit)
    expect(relativeDifference(logits, (await answers('c-aux-first', loaded))['aux'] ?? [])).toBeLessThan(FLOAT32)
  })
})

test('a model whose outputs fit no labels is refused with their shapes and what to do', async () => {
  const labels = ['a', 'b', 'c', 'd', 'e']
  await expect(using('c-embedding-first', { labels }, () => Promise.resolve())).rejects.toMatchObject({
    code: 'BAD_MODEL',
    userMessage: expect.stringMatching(
      /5 labels.*"embedding" \[N, 8\], "probabilities" \[N, 3\].*card\.json/,
    ) as string,
  })
})

test('a card that contradicts the graph is refused', async () => {
  await expect(using('c-multilabel', { link: 'softmax' }, () => Promise.resolve())).rejects.toMatchObject({
    code: 'BAD_MODEL',
    userMessage: expect.stringMatching(/ends in a sigmoid.*"link": "sigmoid"/) as string,
  })
})

test('problemType decides where the graph shows nothing', async () => {
  await using('c-plain', { problemType: 'multi_label_classification' }, async (loaded) => {
    const found = await explained(loaded, gradCam)
    expect(found.link).toBe('sigmoid')
    expect(
      relativeDifference(
        inOrder(found).map((one) => one.probability ?? NaN),
        truth.sigmoid,
      ),
    ).toBeLessThan(1e-4)
  })
})

test.each(['c-avgpool-full', 'c-conv-gap', 'c-plain'])(
  '%s: the mean of the CAM and the bias are the logit',
  async (name) => {
    await using(name, {}, async (loaded) => {
      const tap = loaded.facts.linearHeads.at(-1) ?? ''
      expect(tap).toBe(loaded.model.defaultTap)
      const head = await loaded.model.linearHead(tap)
      for (const index of [0, 1, 2]) {
        const found = await explained(loaded, cam, index)
        const map = mapOf(found)
        const mean = map.reduce((sum, value) => sum + value, 0) / map.length
        expect(mean + (head?.bias.data[index] ?? NaN)).toBeCloseTo(found.scalar, 5)
      }
    })
  },
)
