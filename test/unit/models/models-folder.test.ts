import { cp, mkdir, mkdtemp, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { refOf } from '../../../lib/models/model-ref.ts'
import { ModelsFolder } from '../../../lib/models/models-folder.ts'

const METADATA = { labels: ['Cat', 'Not cat'], imageSize: 96 }
const MODEL = {
  modelTopology: {},
  weightsManifest: [{ paths: ['weights.bin'], weights: [{ name: 'w', shape: [2], dtype: 'float32' }] }],
}

let root = ''
let models: ModelsFolder
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'limelight-models-'))
  models = new ModelsFolder(root)
})
afterEach(() => rm(root, { recursive: true }))

async function put(name: string): Promise<string> {
  const path = join(root, name)
  await mkdir(path)
  await writeFile(join(path, 'metadata.json'), JSON.stringify(METADATA))
  await writeFile(join(path, 'model.json'), JSON.stringify(MODEL))
  await writeFile(join(path, 'weights.bin'), new Uint8Array(8))
  return path
}

const ids = async () => (await models.read()).entries.map(({ id }) => id)

describe('a folder of models', () => {
  test('that is not there holds none', async () => {
    expect(await new ModelsFolder(join(root, 'nowhere')).read()).toEqual({ entries: [], problems: [] })
  })

  test('is followed as models come, change and go', async () => {
    expect(await ids()).toEqual([])
    const cats = await put('cats')
    expect(await ids()).toEqual(['cats'])
    const before = (await models.read()).entries[0]
    expect((await models.read()).entries[0]).toBe(before) // not read again while nothing changes

    // Of the same length, at another time: as a retrained model is copied over the first.
    await writeFile(join(cats, 'weights.bin'), new Uint8Array(8).fill(1))
    await utimes(join(cats, 'weights.bin'), 1, 1)
    const after = (await models.read()).entries[0]
    expect(after?.sha256).not.toBe(before?.sha256)

    await rename(cats, join(root, 'dogs'))
    expect(await ids()).toEqual(['dogs'])
    await rm(join(root, 'dogs'), { recursive: true })
    expect(await ids()).toEqual([])
  })

  test('may hold links to folders, and what systems leave behind', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'limelight-elsewhere-'))
    await put('cats')
    await rename(join(root, 'cats'), join(elsewhere, 'cats'))
    await symlink(join(elsewhere, 'cats'), join(root, 'linked'))
    await symlink(join(root, 'nowhere'), join(root, 'dangling'))
    for (const name of ['.git', '__MACOSX']) await mkdir(join(root, name))
    await writeFile(join(root, 'notes.txt'), '')
    expect(await models.read()).toMatchObject({ entries: [{ id: 'linked' }], problems: [] })
    await rm(elsewhere, { recursive: true })
  })

  test.each<[string, (folder: string) => Promise<void>, RegExp]>([
    ['empty', (folder) => rm(join(folder, 'metadata.json')), /neither a card\.json nor the metadata\.json/],
    ['without weights', (folder) => rm(join(folder, 'weights.bin')), /weights\.bin is missing/],
    ['with weights cut short', (folder) => truncate(join(folder, 'weights.bin'), 5), /5 bytes where .* needs 8.*truncated/],
    ['without a graph', (folder) => rm(join(folder, 'model.json')), /model\.json is missing/],
    ['with a graph that is no JSON', (folder) => writeFile(join(folder, 'model.json'), '{'), /not JSON/],
    ['with metadata that are none', (folder) => writeFile(join(folder, 'metadata.json'), '[]'), /Export .* again/],
    ['with a broken card', (folder) => writeFile(join(folder, 'card.json'), '{}'), /card\.json is not a model card.*labels/],
    ['with a folder for a file', (folder) => mkdir(join(folder, 'card.json')), /card\.json is not a file/],
  ])('leaves out a model %s, in one line, and is whole when that is mended', async (_what, damage, says) => {
    await put('a-good-one')
    const folder = await put('broken')
    await put('z-good-one')
    const sound = join(root, '.sound')
    await cp(folder, sound, { recursive: true })
    await damage(folder)
    const { entries, problems } = await models.read()
    expect(entries.map(({ id }) => id)).toEqual(['a-good-one', 'z-good-one'])
    expect(problems).toEqual([{ folder: 'broken', message: expect.stringMatching(says) as string }])
    expect(problems[0]?.message).not.toMatch(/\n|\/tmp/)

    await rm(folder, { recursive: true })
    await rename(sound, folder)
    expect(await ids()).toEqual(['a-good-one', 'broken', 'z-good-one'])
  })

  test('leaves out a model whose name is taken', async () => {
    await put('cats')
    await put('CATS!')
    await put('pets-cnn')
    const { entries, problems } = await models.read(new Set(['pets-cnn']))
    expect(entries.map(({ id }) => id)).toEqual(['cats'])
    expect(problems).toEqual([
      { folder: 'cats', message: expect.stringContaining('called cats already') as string },
      { folder: 'pets-cnn', message: expect.stringContaining('called pets-cnn already') as string },
    ])
  })

  test('holds the models of a content, and no other version of them', async () => {
    const cats = await put('cats')
    await mkdir(join(root, 'unreadable'))
    const [before] = (await models.read()).entries
    if (before === undefined) throw new Error('no model')
    const fresh = new ModelsFolder(root)
    expect(await fresh.find(refOf(before))).toMatchObject({ id: 'cats', sha256: before.sha256, folder: cats })
    await writeFile(join(cats, 'weights.bin'), new Uint8Array(8).fill(1))
    await utimes(join(cats, 'weights.bin'), 1, 1)
    expect(await fresh.find(refOf(before))).toBeNull()
    const [after] = (await models.read()).entries
    expect(after?.sha256).not.toBe(before.sha256)
    expect(await fresh.find(refOf(after ?? before))).toMatchObject({ folder: cats })
    expect(await new ModelsFolder(join(root, 'nowhere')).find(refOf(before))).toBeNull()
  })
})
