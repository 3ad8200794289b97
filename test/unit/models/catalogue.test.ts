import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { create, toBinary } from '@bufbuild/protobuf'
import {
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProtoSchema,
  TensorProto_DataLocation,
} from '../../../lib/engine/onnx/file/proto/onnx_pb.ts'
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
  await writeFile(join(path, 'model.onnx'), onnxBytes(weights))
  await writeFile(join(path, 'tfjs/model.json'), JSON.stringify(TFJS))
  await writeFile(join(path, 'tfjs/shard.bin'), weights)
}

/** Seven bytes of weights. */
const TFJS = {
  modelTopology: {},
  weightsManifest: [
    {
      paths: ['shard.bin'],
      weights: [{ name: 'w', shape: [7], dtype: 'float32', quantization: { dtype: 'uint8', scale: 1, min: 0 } }],
    },
  ],
}

/** A model with one tensor: its bytes inside, or in a file beside it. */
function onnxBytes(weights: string, location?: string): Uint8Array {
  const tensor =
    location === undefined
      ? create(TensorProtoSchema, { name: 'w', rawData: new TextEncoder().encode(weights) })
      : create(TensorProtoSchema, {
          name: 'w',
          dataLocation: TensorProto_DataLocation.EXTERNAL,
          externalData: [
            { key: 'location', value: location },
            { key: 'offset', value: '0' },
          ],
        })
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { graph: create(GraphProtoSchema, { initializer: [tensor] }) }))
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
    expect(entries[2]?.bytes).toBe('weights'.length + JSON.stringify(TFJS).length)
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

  test('the hash covers weights in files beside an ONNX graph, and the configuration beside a tokenizer', async () => {
    const files = { onnx: 'model.onnx', tokenizer: 'tokenizer.json' }
    await writeModel('toy', { ...CARD, files })
    await writeFile(join(folder, 'toy/model.onnx'), onnxBytes('', 'weights.data'))
    await writeFile(join(folder, 'toy/tokenizer.json'), '{}')
    await expect(listModels(folder)).rejects.toThrow(/weights\.data is missing/)
    const hashes = new Set<string | undefined>()
    for (const [name, content] of [
      ['weights.data', 'one'],
      ['weights.data', 'two'],
      ['tokenizer_config.json', '{"mask_token":"[MASK]"}'],
      ['tokenizer_config.json', '{"mask_token":"<mask>"}'],
    ] as const) {
      await writeFile(join(folder, 'toy', name), content)
      hashes.add((await listModels(folder))[0]?.sha256)
    }
    expect(hashes.size).toBe(4)
  })

  test('a model with one format has its card’s id; what a card leaves out is filled in', async () => {
    const { id, title, task, labels, preprocessing } = CARD
    await writeModel('toy', { id, title, task, labels, preprocessing, files: { tfjs: 'tfjs/model.json' } })
    const [entry] = await listModels(folder)
    expect(entry).toMatchObject({ id: 'toy', variant: 'tfjs', card: { defaultTap: '', license: 'unknown', figures: [] } })
  })

  test('a Teachable Machine export needs no card', async () => {
    const path = join(folder, 'Cats or not')
    await mkdir(path)
    await writeFile(join(path, 'metadata.json'), JSON.stringify({ labels: ['Cat', 'Not cat'], imageSize: 96 }))
    await writeFile(join(path, 'model.json'), JSON.stringify(TFJS))
    await writeFile(join(path, 'shard.bin'), 'weights')
    const [entry] = await listModels(folder)
    expect(entry).toMatchObject({
      id: 'cats-or-not',
      variant: 'tfjs',
      file: join(path, 'model.json'),
      card: { labels: ['Cat', 'Not cat'], preprocessing: { width: 96, height: 96, resize: 'crop' } },
    })
    // What the metadata says is part of the model's identity.
    await writeFile(join(path, 'metadata.json'), JSON.stringify({ labels: ['Not cat', 'Cat'], imageSize: 96 }))
    expect((await listModels(folder))[0]?.sha256).not.toBe(entry?.sha256)
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
