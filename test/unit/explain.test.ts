import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { ExplainableModel, Question, Tap } from '../../lib/engine/model.ts'
import { explain, type ExplainHooks } from '../../lib/explain.ts'
import type { ExplainInput } from '../../lib/prepare.ts'
import { classTarget, type Target } from '../../lib/target/target.ts'
import { decodeImage, type DecodedImage } from '../../lib/image/decode.ts'
import { imageMethod, textMethod, type Method } from '../../lib/methods/method.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import type { LoadedModel } from '../../lib/models/load.ts'
import { float32, int64 } from '../../lib/tensor/tensor.ts'

const TAP: Tap = {
  id: 'conv',
  label: 'conv',
  kind: 'conv',
  operator: 'Conv',
  shape: [null, 2, 3, 5],
  spatial: true,
  differentiable: true,
}
const FACTS = {
  title: 'Toy model',
  taps: [TAP],
  defaultTap: 'conv',
  link: 'softmax' as const,
  linearHeads: [],
  ruleSets: [],
  refusals: [],
}
const LOGITS = float32([1, 3], [1, 2])

/** A model that always answers the same logits and notes what it was asked. */
function fakeModel(asked: Question[], inputs = ['image']): ExplainableModel {
  return {
    engine: { name: 'onnx', backend: 'cpu', version: '0', reason: '' },
    taps: [TAP],
    inputs,
    ruleSets: [],
    logits: 'logits',
    link: 'softmax',
    linkBasis: 'assumed',
    defaultTap: 'conv',
    linearHead: () => Promise.resolve(null),
    ask: (question) => {
      asked.push(question)
      return Promise.resolve({ values: { logits: LOGITS }, gradients: {}, computed: {} })
    },
    dispose: () => Promise.resolve(),
  }
}

const shared = {
  title: 'Toy model',
  summary: '',
  labels: ['cat', 'dog'],
  files: {},
  defaultTap: 'conv',
  license: '',
  provenance: { architecture: '', data: '', recipe: '', seed: 0 },
  figures: [],
}

function imageModel(asked: Question[] = []): LoadedModel {
  const card: CatalogueEntry['card'] = {
    ...shared,
    id: 'toy-image',
    task: 'image-classification',
    preprocessing: {
      kind: 'image',
      width: 8,
      height: 8,
      resize: 'crop',
      cropFraction: 1,
      layout: 'NCHW',
      mean: [0, 0, 0],
      std: [255, 255, 255],
      colour: 'RGB',
    },
  }
  const entry: CatalogueEntry = { id: card.id, card, variant: 'onnx', folder: '', file: '', sha256: '', bytes: 0 }
  return { entry, model: fakeModel(asked), facts: { ...FACTS, modality: 'image' }, tokenizer: null }
}

function textModel(asked: Question[] = []): LoadedModel {
  const ids = int64([5, 6, 7, 8], [1, 4])
  const card: CatalogueEntry['card'] = {
    ...shared,
    id: 'toy-text',
    task: 'text-classification',
    preprocessing: { kind: 'text', maxTokens: 8, truncation: 'head', lowercase: true },
  }
  const entry: CatalogueEntry = { id: card.id, card, variant: 'onnx', folder: '', file: '', sha256: '', bytes: 0 }
  return {
    entry,
    model: fakeModel(asked, ['input_ids', 'attention_mask', 'token_type_ids']),
    facts: { ...FACTS, modality: 'text' },
    tokenizer: {
      vocabulary: { pad: 0, mask: 1, unknown: 2, cls: 5, sep: 8 },
      vocabularySize: 9,
      encode: async (text) =>
        Promise.resolve({
          ids: [5, 6, 7, 8],
          special: [true, false, false, true],
          tokens: [
            { text: '[CLS]', start: 0, end: 0 },
            { text: text.slice(0, 2), start: 0, end: 2 },
            { text: text.slice(2, 4), start: 2, end: 4 },
            { text: '[SEP]', start: 4, end: 4 },
          ],
          feeds: { input_ids: ids, attention_mask: ids, token_type_ids: ids },
          removed: null,
          unknown: [],
        }),
    },
  }
}

const description = {
  version: 1,
  family: 'gradient' as const,
  summary: '',
  meaning: '',
  misleads: '',
  paper: null,
  needs: [],
  cost: () => 1,
}

/** An image method that returns the map given, and remembers the class it was asked for. */
function mapMethod(values: number[], dims: number[], targets: Target[] = []): Method {
  return imageMethod({
    ...description,
    id: 'toy-map',
    title: 'Toy map',
    modality: 'image',
    params: z.strictObject({ size: z.int().min(1).default(3) }),
    output: { kind: 'map', signed: true, complete: false },
    run: (context) => {
      targets.push(context.target)
      return Promise.resolve({
        kind: 'image',
        map: float32(values, dims),
        layer: 'conv',
        logits: LOGITS,
        diagnoses: [],
      })
    },
  })
}

const tokenMethod: Method = textMethod({
  ...description,
  id: 'toy-tokens',
  title: 'Toy tokens',
  modality: 'text',
  params: z.strictObject({}),
  output: { kind: 'tokens', signed: true, complete: false },
  run: () =>
    Promise.resolve({
      kind: 'text',
      scores: float32([0.5, 1, -3, 0.25], [4]),
      wordReduction: 'sum',
      logits: LOGITS,
      completeness: null,
      diagnoses: [],
    }),
})

function hooks(signal = new AbortController().signal): ExplainHooks {
  let time = 0
  return { signal, progress: () => undefined, now: () => (time += 10) }
}

const request = (method: Method, more: object = {}) => ({
  method,
  params: {},
  target: classTarget(null),
  seed: 0,
  ...more,
})

let picture: DecodedImage
beforeAll(async () => {
  const bytes = await sharp({ create: { width: 40, height: 20, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  picture = await decodeImage(bytes)
})
const image = (): ExplainInput => ({ kind: 'image', image: picture })

describe('explain', () => {
  test('the predicted class is explained when none is asked for', async () => {
    const targets: Target[] = []
    const asked: Question[] = []
    const method = mapMethod([1, 2], [1, 2], targets)
    const explanation = await explain(imageModel(asked), image(), request(method), hooks())
    expect(targets).toEqual([{ kind: 'logit', index: null }])
    expect(asked).toEqual([]) // it is found in the method's own questions
    expect(explanation.target).toMatchObject({ index: 1, label: 'dog', logit: 3 })
    expect(explanation.predictions.map((prediction) => prediction.label)).toEqual(['dog', 'cat'])
  })

  test('a class that is asked for costs no forward pass to find', async () => {
    const asked: Question[] = []
    const method = mapMethod([1, 2], [1, 2])
    const explanation = await explain(imageModel(asked), image(), request(method, { target: classTarget(0) }), hooks())
    expect(explanation.target?.label).toBe('cat')
    expect(asked).toEqual([])
  })

  test('the map keeps its own size and says where on the picture it lies', async () => {
    const explanation = await explain(imageModel(), image(), request(mapMethod([1, 2, 3, 4, 5, 6], [2, 3])), hooks())
    expect(explanation.attribution).toMatchObject({
      width: 3,
      height: 2,
      layer: 'conv',
      placement: { x: 0.25, y: 0, width: 0.5, height: 1 }, // the centre square of a 40 x 20 picture
    })
    expect(explanation.timings.preprocessMs).toBeGreaterThan(0)
    expect(explanation.timings.computeMs).toBeGreaterThan(0)
  })

  test('tokens keep their scores and words are their sums', async () => {
    const explanation = await explain(textModel(), { kind: 'text', text: 'abcd' }, request(tokenMethod), hooks())
    if (explanation.attribution.kind !== 'text') throw new Error('expected a text attribution')
    expect(explanation.attribution.tokens.map((token) => token.score)).toEqual([0.5, 1, -3, 0.25])
    const words = explanation.attribution.words.filter((word) => !word.special)
    expect(words).toMatchObject([{ text: 'abcd', start: 0, end: 4, score: -2 }])
  })

  test.each([
    ['not finite', [1, Number.NaN], [1, 2], /not finite/],
    ['empty', [], [0, 2], /wrong shape/],
  ])('a map that is %s is an error, never a blank map', async (_, values, dims, message) => {
    await expect(explain(imageModel(), image(), request(mapMethod(values, dims)), hooks())).rejects.toMatchObject({
      code: 'BAD_RESULT',
      userMessage: expect.stringMatching(message),
    })
  })

  test('text for an image model, and a picture for a text model, say so', async () => {
    const method = mapMethod([1], [1, 1])
    const text: ExplainInput = { kind: 'text', text: 'words' }
    await expect(explain(imageModel(), text, request(method), hooks())).rejects.toMatchObject({
      code: 'WRONG_MODALITY',
    })
    await expect(explain(textModel(), image(), request(tokenMethod), hooks())).rejects.toMatchObject({
      code: 'WRONG_MODALITY',
    })
  })

  test('a text method on an image model is unavailable, with the reason', async () => {
    await expect(explain(imageModel(), image(), request(tokenMethod), hooks())).rejects.toMatchObject({
      code: 'METHOD_UNAVAILABLE',
      message: expect.stringContaining('this one reads pictures'),
    })
  })

  test('an unknown parameter and one out of range are named', async () => {
    const method = mapMethod([1], [1, 1])
    const run = (params: object) => explain(imageModel(), image(), request(method, { params }), hooks())
    await expect(run({ colour: 'red' })).rejects.toMatchObject({
      code: 'BAD_PARAMETER',
      message: expect.stringContaining('colour'),
    })
    await expect(run({ size: 0 })).rejects.toMatchObject({
      code: 'BAD_PARAMETER',
      message: expect.stringContaining('size'),
    })
  })

  test('a run cancelled before it starts does not start', async () => {
    const targets: Target[] = []
    const cancelled = hooks(AbortSignal.abort())
    await expect(
      explain(imageModel(), image(), request(mapMethod([1], [1, 1], targets)), cancelled),
    ).rejects.toMatchObject({
      code: 'CANCELLED',
    })
    expect(targets).toEqual([])
  })
})
