import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { METHODS } from '../../../../lib/methods/index.ts'
import { loadModel } from '../../../../lib/models/load.ts'
import { folderFiles } from '../../../../lib/models/making/folder-files.ts'
import { idFor, importFiles, type ModelFiles } from '../../../../lib/models/making/import-files.ts'
import { tryModel } from '../../../../lib/try-model.ts'
import { tinyBert, tinyResNet } from '../../../helpers/model-files.ts'

let root: string
let models: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'limelight-import-'))
  models = join(root, 'models')
  await mkdir(models)
})
afterEach(() => rm(root, { recursive: true, force: true }))

async function written(files: Record<string, Uint8Array | string>, name = 'source'): Promise<string> {
  const folder = join(root, name)
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  return folder
}

async function filesOf(folder: string, rest: Partial<ModelFiles> = {}): Promise<ModelFiles> {
  return { paths: await folderFiles(folder), title: 'My model', source: 'source', license: null, onnx: null, ...rest }
}

async function imported(files: Record<string, Uint8Array | string>, rest: Partial<ModelFiles> = {}) {
  return importFiles(await filesOf(await written(files), rest), models, 1e7)
}

const hooks = { signal: new AbortController().signal, progress: () => undefined, now: () => performance.now() }

describe('a model that is imported', () => {
  it('is a BERT with its tokenizer: a card is made, it loads and passes its first try', async () => {
    const model = await imported(await tinyBert())
    expect(model).toMatchObject({ id: 'my-model', folder: join(models, 'my-model'), guesses: [] })
    const card: unknown = JSON.parse(await readFile(join(model.folder, 'card.json'), 'utf8'))
    expect(card).toMatchObject({
      id: 'my-model',
      title: 'My model',
      labels: ['awful', 'bad', 'fair', 'good', 'great'],
      files: { onnx: 'onnx/model.onnx', tokenizer: 'tokenizer.json' },
      preprocessing: { kind: 'text', maxTokens: 16, lowercase: true },
    })
    const [entry] = model.entries
    if (entry === undefined) throw new Error('no entry')
    const loaded = await loadModel(entry)
    const trial = await tryModel(loaded, METHODS, hooks)
    expect(trial.problems).toEqual([])
    expect(trial.classes).toBe(5)
    expect(trial.inputs.join(' ')).toContain('input_ids')
    await loaded.model.dispose()
  })

  it('is a ResNet of timm: as it states', async () => {
    const model = await imported(await tinyResNet(), { title: 'timm/Tiny_ResNet' })
    expect(model).toMatchObject({ id: 'timm-tiny-resnet', guesses: [] })
    const [entry] = model.entries
    if (entry === undefined) throw new Error('no entry')
    expect(entry.card.preprocessing).toMatchObject({ width: 48, height: 40, cropFraction: 0.875 })
    const loaded = await loadModel(entry)
    expect((await tryModel(loaded, METHODS, hooks)).problems).toEqual([])
    await loaded.model.dispose()
  })

  it('with a card of its own keeps it', async () => {
    const files = await tinyResNet()
    const before = await imported(files)
    const card = await readFile(join(before.folder, 'card.json'), 'utf8')
    await rm(before.folder, { recursive: true })
    const mine = card.replace('"my-model"', '"mine"')
    const after = await imported({ ...files, 'card.json': mine })
    expect(after.id).toBe('mine')
    expect(await readFile(join(after.folder, 'card.json'), 'utf8')).toBe(mine)
  })

  it("is Teachable Machine's export, whatever its product calls itself", async () => {
    const weights = { name: 'dense/kernel', shape: [2, 2], dtype: 'float32' }
    const model = await imported({
      'model.json': JSON.stringify({ modelTopology: {}, weightsManifest: [{ paths: ['weights.bin'], weights: [weights] }] }),
      'weights.bin': new Uint8Array(16),
      'metadata.json': JSON.stringify({ packageName: '@Daivin', labels: ['cat', 'dog'], imageSize: 224 }),
    })
    expect(model.entries.map(({ card, variant }) => [card.id, card.title, variant])).toEqual([['my-model', 'My model', 'tfjs']])
    expect(await readdir(model.folder)).toEqual(['card.json', 'metadata.json', 'model.json', 'weights.bin'])
  })

  it('takes only what a prediction needs', async () => {
    const model = await imported({ ...(await tinyResNet()), 'pytorch_model.bin': 'x', 'README.md': 'x' })
    expect(await readdir(model.folder)).toEqual(['card.json', 'config.json', 'model.onnx'])
  })

  it('takes the place of its earlier import, and of no other model', async () => {
    const files = await tinyResNet()
    await imported(files, { source: 'org/name at 1' })
    await imported(files, { source: 'org/name at 2' })
    const card = JSON.parse(await readFile(join(models, 'my-model', 'card.json'), 'utf8')) as { summary: string }
    expect(card.summary).toBe('Imported from org/name at 2.')
    await expect(imported(files, { source: 'other/name at 3' })).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await readdir(models)).toEqual(['my-model'])
  })
})

describe('what is refused leaves nothing behind', () => {
  it.each(['../evil.onnx', '/evil.onnx', 'a/../../evil', 'C:\\evil'])('the path %s', async (path) => {
    const folder = await written(await tinyResNet())
    const files = await filesOf(folder)
    const paths = new Map([...files.paths, [path, join(folder, 'model.onnx')]])
    await expect(importFiles({ ...files, paths }, models, 1e7)).rejects.toMatchObject({ code: 'BAD_INPUT' })
    expect(await readdir(models)).toEqual([])
    expect((await readdir(root)).sort()).toEqual(['models', 'source'])
  })

  it('a link in the folder', async () => {
    const folder = await written(await tinyResNet())
    await symlink('/etc/hostname', join(folder, 'tokenizer.json'))
    await expect(folderFiles(folder)).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('link') })
  })

  it('more bytes than allowed', async () => {
    const files = await filesOf(await written(await tinyResNet()))
    await expect(importFiles(files, models, 1000)).rejects.toMatchObject({ code: 'BAD_MODEL', message: expect.stringContaining('at most') })
    expect(await readdir(models)).toEqual([])
  })

  it.each([
    ['no files', {}, /no files|not a folder/],
    ['no graph', { 'config.json': '{}' }, /no ONNX file/],
    ['a configuration that is not JSON', { 'config.json': '{', 'model.onnx': 'graph' }, /not JSON|not an ONNX model/],
    ['a graph that is none', { 'model.onnx': 'hello' }, /not an ONNX model/],
    ['a speech model', { 'config.json': '{"architectures":["WhisperForConditionalGeneration"]}', 'model.onnx': 'graph' }, /writes text/],
  ])('%s', async (_name, files: Record<string, string>, message) => {
    const folder = await written({ ...files, ...(files['model.onnx'] === 'graph' ? await graph() : {}) })
    await mkdir(folder, { recursive: true })
    const importing = filesOf(folder).then((one) => importFiles(one, models, 1e7))
    await expect(importing).rejects.toMatchObject({ message: expect.stringMatching(message) })
    expect(await readdir(models)).toEqual([])
  })
})

async function graph(): Promise<Record<string, Uint8Array | string>> {
  const { 'model.onnx': network = '' } = await tinyResNet()
  return { 'model.onnx': network }
}

describe('a first try', () => {
  it('says when the answer does not depend on the input', async () => {
    const model = await imported(await tinyResNet())
    const [entry] = model.entries
    if (entry === undefined) throw new Error('no entry')
    const loaded = await loadModel(entry)
    const { preprocessing } = entry.card
    if (preprocessing.kind !== 'image') throw new Error('not of pictures')
    // So far away that no picture makes a difference in float32.
    const card = { ...entry.card, preprocessing: { ...preprocessing, std: [1e12, 1e12, 1e12] as [number, number, number] } }
    const { problems } = await tryModel({ ...loaded, entry: { ...entry, card } }, METHODS, hooks)
    expect(problems.join(' ')).toMatch(/same for two different inputs/)
    await loaded.model.dispose()
  })

  it('says when card and graph disagree', async () => {
    const model = await imported(await tinyResNet())
    const [entry] = model.entries
    if (entry === undefined) throw new Error('no entry')
    const loaded = await loadModel(entry)
    const card = { ...entry.card, labels: ['a', 'b'] }
    const { problems } = await tryModel({ ...loaded, entry: { ...entry, card } }, METHODS, hooks)
    expect(problems.join(' ')).toMatch(/7 classes/)
    await loaded.model.dispose()
  })
})

it.each([
  ['org/Some.Name_1', 'org-some-name-1'],
  ['  Été 2026  ', 'ete-2026'],
  ['日本', 'model'],
])('an id is made of %j', (name, id) => expect(idFor(name)).toBe(id))
