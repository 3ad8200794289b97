/** Models of the user's own: dropped into the data folder, offered and explained like the bundled ones. */
import { access, cp, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from '../../server/logger.ts'
import { writeTeachableMachine } from '../helpers/keras-export.ts'
import { startTestServer, temporaryFolder, type TestServer } from '../helpers/server.ts'

const NETWORKS = new URL('../fixtures/networks/', import.meta.url)
const KITTEN = new URL('../../public/samples/kitten.jpg', import.meta.url)
const REAL = join(process.env['LIMELIGHT_DATA'] ?? '../shared/data', 'models')
const isPresent = await access(REAL).then(
  () => true,
  () => false,
)
if (!isPresent) console.warn(`own-models.test.ts: real exports skipped, there is no ${REAL} (set LIMELIGHT_DATA)`)

const EXPLAIN = `mutation ($input: ExplainInput!) { explain(input: $input, waitMs: 120000) {
  id status error { code message } model { id title } target { label probability } predictions { label }
  attribution { ... on ImageAttribution { width height layer values placement { x y width height } overlayUrl } }
  provenance } }`
const MODELS = '{ models { id title labels modality sha256 } modelProblems { folder message } }'

interface Explained {
  readonly explain: {
    readonly id: string
    readonly status: string
    readonly error: { readonly message: string } | null
    readonly target: { readonly label: string; readonly probability: number }
    readonly predictions: readonly { readonly label: string }[]
    readonly attribution: { readonly values: readonly number[]; readonly overlayUrl: string }
    readonly provenance: { readonly model: { readonly sha256: string }; readonly engine: { readonly name: string } }
  }
}
interface Listed {
  readonly models: readonly { readonly id: string; readonly title: string; readonly sha256: string }[]
  readonly modelProblems: readonly { readonly folder: string; readonly message: string }[]
}

/** squeezenet of the fixtures, which reads pictures of 56 x 48, with a card. */
async function putOnnx(folder: string): Promise<void> {
  await mkdir(folder)
  await cp(new URL('squeezenet.onnx', NETWORKS), join(folder, 'squeezenet.onnx'))
  const card = {
    id: 'my-squeezenet',
    title: 'Seven things',
    task: 'image-classification',
    labels: ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
    files: { onnx: 'squeezenet.onnx' },
    preprocessing: {
      kind: 'image',
      width: 56,
      height: 48,
      resize: 'squash',
      layout: 'NCHW',
      mean: [123.675, 116.28, 103.53],
      std: [58.395, 57.12, 57.375],
      colour: 'RGB',
    },
  }
  await writeFile(join(folder, 'card.json'), JSON.stringify(card))
}

describe('models in the data folder', () => {
  let server: TestServer
  let folder: string
  const warned: string[] = []
  const list = () => server.data<Listed>(MODELS)
  const explain = async (model: string, more: Record<string, unknown> = {}) => {
    const image = { base64: (await readFile(KITTEN)).toString('base64') }
    const input = { model, method: 'grad-cam', image, ...more }
    return (await server.data<Explained>(EXPLAIN, { input })).explain
  }

  beforeAll(async () => {
    const log = createLogger('silent')
    server = await startTestServer({ log: Object.assign(log, { warn: (line: string) => warned.push(line) }) })
    folder = join(server.folder, 'models')
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
    await mkdir(folder)
    warned.length = 0
  })
  afterAll(() => server.remove())

  it('a Teachable Machine export is offered, loaded and explained as it is, without a restart', async () => {
    const bundled = (await list()).models.map(({ id }) => id)
    await writeTeachableMachine(join(folder, 'Cat or not'), 1)
    const { models, modelProblems } = await list()
    expect(modelProblems).toEqual([])
    expect(models.map(({ id }) => id)).toEqual([...bundled, 'cat-or-not'])
    expect(models.at(-1)).toMatchObject({ title: 'Cat or not', labels: ['Cat', 'Not cat'], modality: 'IMAGE' })

    const run = await explain('cat-or-not')
    expect(run).toMatchObject({
      status: 'DONE',
      error: null,
      model: { id: 'cat-or-not' },
      attribution: { width: 7, height: 7, layer: 'sequential_1/model1/out_relu' },
      provenance: { model: { sha256: models.at(-1)?.sha256 }, engine: { name: 'tfjs' } },
    })
    expect(run.predictions.map(({ label }) => label).sort()).toEqual(['Cat', 'Not cat'])
    expect(new Set(run.attribution.values).size).toBeGreaterThan(1)
    expect(await explain('cat-or-not', { target: { label: 'Not cat' } })).toMatchObject({
      target: { label: 'Not cat' },
    })
    expect((await fetch(`${server.url}${run.attribution.overlayUrl}`)).status).toBe(200)
  })

  it('an ONNX model with a card is offered and explained, at the layer the engine finds', async () => {
    await putOnnx(join(folder, 'squeezenet'))
    expect((await list()).models.at(-1)).toMatchObject({ id: 'my-squeezenet', title: 'Seven things' })
    const run = await explain('my-squeezenet', { target: { label: 'd' } })
    expect(run).toMatchObject({ status: 'DONE', target: { label: 'd' }, provenance: { engine: { name: 'onnx' } } })
    expect(run.attribution.values.length).toBeGreaterThan(1)
  })

  it('a model of sigmoids: each class has a probability for itself, also in history, and the run says so', async () => {
    await cp(new URL('../fixtures/heads/c-binary', import.meta.url), join(folder, 'binary'), { recursive: true })
    await cp(new URL('../fixtures/heads/c-multilabel', import.meta.url), join(folder, 'multi'), { recursive: true })
    const PREDICTIONS = `query ($id: ID!) { run(id: $id) { link target { label logit probability } predictions { label logit probability } } }`
    interface Predicted {
      readonly run: {
        readonly link: string
        readonly target: { readonly label: string; readonly logit: number }
        readonly predictions: readonly {
          readonly label: string
          readonly logit: number
          readonly probability: number
        }[]
      }
    }
    const { id } = await explain('c-binary', { target: { label: 'dog' } })
    const { run } = await server.data<Predicted>(PREDICTIONS, { id })
    expect(run).toMatchObject({ link: 'SIGMOID', target: { label: 'dog' } })
    const [first, second] = run.predictions
    expect((first?.probability ?? NaN) + (second?.probability ?? NaN)).toBeCloseTo(1, 6)
    expect(first?.logit).toBe(-(second?.logit ?? NaN))
    const multi = await server.data<Predicted>(PREDICTIONS, { id: (await explain('c-multilabel')).id })
    expect(multi.run.link).toBe('SIGMOID')
    for (const { logit, probability } of multi.run.predictions)
      expect(probability).toBeCloseTo(1 / (1 + Math.exp(-logit)), 6)
  })

  it('outputs that look like probabilities, and a head that fits no labels, are said of the model', async () => {
    const put = async (name: string, from: string, change: Record<string, unknown>): Promise<void> => {
      await cp(new URL(`../fixtures/heads/${from}`, import.meta.url), join(folder, name), { recursive: true })
      const card = JSON.parse(await readFile(join(folder, name, 'card.json'), 'utf8')) as Record<string, unknown>
      await writeFile(join(folder, name, 'card.json'), JSON.stringify({ ...card, id: name, ...change }))
    }
    await put('clamped', 'c-clamped', {})
    await put('said', 'c-clamped', { link: 'none' })
    await put('features', 'c-embedding-first', { labels: ['a', 'b'] })
    const NOTES = '{ models { id notes } }'
    const { data, errors } = await server.graphql(NOTES)
    const { models } = data as unknown as { models: readonly { id: string; notes: readonly string[] | null }[] }
    const notes = Object.fromEntries(models.map((one) => [one.id, one.notes]))
    expect(notes).toMatchObject({ 'pets-cnn': [], 'reviews-minilm': [], said: [], features: null })
    expect(notes['clamped']).toEqual([expect.stringMatching(/lie between 0 and 1.*"link": "none" into card\.json/)])
    expect(errors?.[0]).toMatchObject({
      extensions: { code: 'BAD_MODEL' },
      message: expect.stringMatching(/2 labels.*"embedding" \[N, 8\], "probabilities" \[N, 3\]/) as string,
    })
  })

  it('a retrained model is another model: the same question is a new run, and the old one stays readable', async () => {
    await writeTeachableMachine(join(folder, 'pets'), 1)
    const before = await explain('pets')
    expect((await explain('pets')).id).toBe(before.id)
    await rm(join(folder, 'pets'), { recursive: true })
    await writeTeachableMachine(join(folder, 'pets'), 2)
    const after = await explain('pets')
    expect(after.id).not.toBe(before.id)
    expect(after.provenance.model.sha256).not.toBe(before.provenance.model.sha256)
    expect(after.attribution.values).not.toEqual(before.attribution.values)

    await rm(join(folder, 'pets'), { recursive: true })
    const { data, errors } = await server.graphql(
      'query ($id: ID!) { run(id: $id) { target { label } model { title taps { id } } } }',
      { id: before.id },
    )
    expect(data).toMatchObject({
      run: { target: { label: before.target.label }, model: { title: 'pets', taps: null } },
    })
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'UNKNOWN_MODEL' } })
  })

  it('a damaged one is left out with a line in the log; the others are offered', async () => {
    await writeTeachableMachine(join(folder, 'broken'), 1)
    await truncate(join(folder, 'broken', 'weights.bin'), 100)
    await writeTeachableMachine(join(folder, 'sound'), 1)
    await mkdir(join(folder, 'empty'))
    const { models, modelProblems } = await list()
    expect(models.map(({ id }) => id)).toEqual([
      'efficientnet-lite0',
      'pets-cnn',
      'pets-cnn-tfjs',
      'reviews-minilm',
      'sound',
    ])
    expect(modelProblems).toEqual([
      { folder: 'broken', message: expect.stringMatching(/weights\.bin has 100 bytes.*truncated/) as string },
      { folder: 'empty', message: expect.stringMatching(/neither a card\.json nor/) as string },
    ])
    await list()
    const lines = warned.filter((line) => line.includes('left out'))
    expect(lines).toHaveLength(2) // each once, however often one asks
    expect(lines[0]).toMatch(/broken is left out: .*truncated/)
    expect(await explain('sound')).toMatchObject({ status: 'DONE' })
  })

  it('one that only breaks when it is loaded says so for itself alone', async () => {
    await writeTeachableMachine(join(folder, 'strange'), 1)
    const path = join(folder, 'strange', 'model.json')
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll('"Conv2D"', '"Conv2Dee"'))
    const { data, errors } = await server.graphql('{ models { id engine { name backend reason } } }')
    const models = (data as unknown as { models: { id: string; engine: { name: string } | null }[] }).models
    expect(models.map(({ id, engine }) => [id, engine?.name])).toEqual([
      ['efficientnet-lite0', 'onnx'],
      ['pets-cnn', 'onnx'],
      ['pets-cnn-tfjs', 'tfjs'],
      ['reviews-minilm', 'onnx'],
      ['strange', undefined],
    ])
    expect(errors).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(/Unknown layer: Conv2Dee\.$/) as string,
        extensions: { code: 'BAD_MODEL' },
      }),
    ])
    const image = { base64: (await readFile(KITTEN)).toString('base64') }
    const refused = await server.graphql(EXPLAIN, { input: { model: 'strange', method: 'grad-cam', image } })
    expect(refused.errors?.[0]).toMatchObject({ extensions: { code: 'BAD_MODEL' } })
    expect((await explain('pets-cnn')).status).toBe('DONE')
  })
})

describe('another folder of models', () => {
  it('must be there', async () => {
    const data = await temporaryFolder()
    const missing = join(data, 'nowhere')
    await expect(startTestServer({ dataFolder: data, modelsFolder: missing })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/no folder .*nowhere.*--models/) as string,
    })
    await rm(data, { recursive: true })
  })

  it.skipIf(!isPresent)(
    'real Teachable Machine exports are explained on a real photo',
    async () => {
      const server = await startTestServer({ modelsFolder: REAL })
      try {
        const { models, modelProblems } = await server.data<Listed>(MODELS)
        const ids = models.map(({ id }) => id)
        expect(ids).toEqual(expect.arrayContaining(['teachable-machine-cat', 'teachable-machine-gesture']))
        expect(modelProblems.map(({ folder }) => folder)).toContain('darknet-tiny-tfjs') // it has no card
        for (const [model, sample, label] of [
          ['teachable-machine-cat', 'chelsea', 'Cat'],
          ['teachable-machine-cat', 'german-shepherd', 'Not cat'],
          ['teachable-machine-gesture', 'chelsea', 'NOTHING'],
        ] as const) {
          const photo = await readFile(new URL(`../../public/samples/${sample}.jpg`, import.meta.url))
          const input = { model, method: 'grad-cam', image: { base64: photo.toString('base64') } }
          const { explain } = await server.data<Explained>(EXPLAIN, { input })
          expect(explain).toMatchObject({
            status: 'DONE',
            target: { label },
            attribution: { width: 7, height: 7, layer: 'sequential_1/model1/out_relu' },
          })
          expect(new Set(explain.attribution.values).size).toBeGreaterThan(10)
        }
      } finally {
        await server.remove()
      }
    },
    120_000,
  )
})
