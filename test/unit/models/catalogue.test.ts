import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listModels } from '../../../lib/models/catalogue.ts'

const CARD = {
  id: 'toy',
  title: 'Toy',
  summary: 'A toy.',
  task: 'image-classification',
  labels: ['a', 'b'],
  files: { onnx: 'model.onnx', tfjs: 'tfjs/model.json' },
  preprocessing: {
    kind: 'image',
    width: 8,
    height: 8,
    resize: 'squash',
    layout: 'NCHW',
    mean: [0, 0, 0],
    std: [1, 1, 1],
    colour: 'RGB',
  },
  defaultTap: 'conv',
  license: 'Apache-2.0',
  provenance: { architecture: 'toy', data: 'none', recipe: 'none', seed: 0 },
  figures: [],
}

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limelight-catalogue-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function writeModel(name: string, card: object, weights = 'weights'): Promise<void> {
  const path = join(folder, name)
  await mkdir(join(path, 'tfjs'), { recursive: true })
  await writeFile(join(path, 'card.json'), JSON.stringify(card))
  await writeFile(join(path, 'model.onnx'), weights)
  await writeFile(join(path, 'tfjs/model.json'), JSON.stringify({ weightsManifest: [{ paths: ['shard.bin'] }] }))
  await writeFile(join(path, 'tfjs/shard.bin'), weights)
}

describe('listModels', () => {
  test('makes one entry a format, sorted by id, with the size of every file that takes part', async () => {
    await writeModel('toy', CARD)
    await writeModel('another', { ...CARD, id: 'another', files: { onnx: 'model.onnx' } })
    const entries = await listModels(folder)
    expect(entries.map((entry) => [entry.id, entry.variant])).toEqual([
      ['another', 'onnx'],
      ['toy', 'onnx'],
      ['toy-tfjs', 'tfjs'],
    ])
    const manifest = JSON.stringify({ weightsManifest: [{ paths: ['shard.bin'] }] })
    expect(entries[2]?.bytes).toBe('weights'.length + manifest.length)
  })

  test('the hash changes with a weight shard and with the preprocessing, not with the title', async () => {
    await writeModel('toy', CARD)
    const hashes = async () => (await listModels(folder)).map((entry) => entry.sha256)
    const before = await hashes()
    await writeModel('toy', { ...CARD, title: 'Renamed' })
    expect(await hashes()).toEqual(before)
    await writeFile(join(folder, 'toy/tfjs/shard.bin'), 'changed')
    const [onnx, tfjs] = await hashes()
    expect(onnx).toBe(before[0])
    expect(tfjs).not.toBe(before[1])
    await writeModel('toy', { ...CARD, preprocessing: { ...CARD.preprocessing, resize: 'crop' } })
    expect((await hashes())[0]).not.toBe(before[0])
  })

  test('a card may not reach outside its folder', async () => {
    await writeModel('toy', { ...CARD, files: { onnx: '../secret.onnx' } })
    await expect(listModels(folder)).rejects.toThrow(/lies outside the model's folder/)
  })

  test('a card that misses a field is named with the field', async () => {
    await writeModel('toy', { ...CARD, labels: undefined })
    await expect(listModels(folder)).rejects.toMatchObject({ code: 'BAD_MODEL', message: expect.stringMatching(/card\.json[^]*labels/) })
  })

  test('two models of one id are refused', async () => {
    await writeModel('toy', CARD)
    await cp(join(folder, 'toy'), join(folder, 'copy'), { recursive: true })
    await expect(listModels(folder)).rejects.toThrow(/Two models are called toy/)
  })
})
