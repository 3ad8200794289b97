/** Weights that stay in the model's files: read as a whole file would be, referenced by place, guarded against change. */
import { readdirSync, readFileSync } from 'node:fs'
import { appendFile, copyFile, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Graph } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { loadOnnxModel } from '../../../../../lib/engine/onnx/model/load.ts'
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
} from '../../../../../lib/engine/onnx/file/proto/onnx_pb.ts'
import { readModel, readModelFile } from '../../../../../lib/engine/onnx/file/read-model.ts'
import { byteCount } from '../../../../../lib/engine/onnx/graph/stored.ts'
import { writeModel } from '../../../../../lib/engine/onnx/file/write-model.ts'
import { float32, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import { normals } from '../../../../helpers/random.ts'

const networks = fileURLToPath(new URL('../../../../fixtures/networks', import.meta.url))
const fixture = path.join(networks, 'mobilenet-v2.onnx')
/** Spaces and letters beyond ASCII: the runtime is handed this folder's name. */
let folder = ''
beforeAll(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'limelight-stored-')), 'Größe 模型')
  await mkdir(folder)
})
afterAll(() => rm(path.dirname(folder), { recursive: true, force: true }))

/** Constants as plain bytes. */
function plain(graph: Graph): unknown {
  const constants = [...graph.constants].map(([name, { type, dims, bytes }]) => [name, type, dims, Buffer.from(bytes)])
  return { ...graph, constants }
}

async function gradientOf(file: string): Promise<FloatTensor> {
  const model = await loadOnnxModel(file, { threads: 1 })
  try {
    const feeds = { image: float32(normals(3 * 40 * 48, 1), [1, 3, 40, 48]) }
    const of = { logits: float32([1, 0, 0, 0, 0, 0, 0], [1, 7]) }
    const { gradients } = await model.ask({ feeds, read: [], gradient: { of, wrt: ['image'] } })
    return gradients['image'] as FloatTensor
  } finally {
    await model.dispose()
  }
}

describe('a file read by its structure is the file read whole', () => {
  test.each(readdirSync(networks).filter((name) => name.endsWith('.onnx')))('%s', async (name) => {
    const file = path.join(networks, name)
    const skimmed = await readModelFile(file)
    expect(plain(skimmed)).toEqual(plain(await readModel(new Uint8Array(readFileSync(file)))))
  })
  test('large weights are left where they are, and referenced', async () => {
    const graph = await readModelFile(fixture)
    const total = [...graph.constants.values()].reduce((sum, one) => sum + byteCount(one), 0)
    const stored = [...graph.constants.values()].flatMap(({ stored }) => (stored ? [stored.length] : []))
    expect(stored.reduce((sum, length) => sum + length, 0)).toBeGreaterThan(0.7 * total)
    const [held, referenced] = [writeModel(graph).length, writeModel(graph, 'referenced').length]
    expect(held - referenced).toBeGreaterThan(0.6 * total)
  })
})

test('weights in data files beside the model, in a sub-folder: the same gradient, bit by bit', async () => {
  const model = fromBinary(ModelProtoSchema, readFileSync(fixture))
  await mkdir(path.join(folder, 'weights'))
  const chunks: Uint8Array[] = [new Uint8Array(3)] // so that nothing is aligned
  let offset = 3
  for (const weight of model.graph?.initializer ?? []) {
    if (weight.rawData.length === 0) continue
    const entries = { location: 'weights/all.bin', offset: String(offset), length: String(weight.rawData.length) }
    chunks.push(weight.rawData)
    offset += weight.rawData.length
    weight.rawData = new Uint8Array()
    weight.dataLocation = TensorProto_DataLocation.EXTERNAL
    weight.externalData = Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    )
  }
  await writeFile(path.join(folder, 'weights', 'all.bin'), Buffer.concat(chunks))
  await writeFile(path.join(folder, 'outside.onnx'), toBinary(ModelProtoSchema, model))
  const [whole, outside] = [await gradientOf(fixture), await gradientOf(path.join(folder, 'outside.onnx'))]
  expect(Buffer.from(outside.data.buffer).equals(Buffer.from(whole.data.buffer))).toBe(true)
})

describe('a model whose file changes', () => {
  const feeds = { image: float32(normals(3 * 40 * 48, 1), [1, 3, 40, 48]) }
  test.each([
    ['grows', (file: string) => appendFile(file, new Uint8Array(1))],
    ['is replaced by one of the same size', (file: string) => utimes(file, 1, 1)],
    ['is removed', (file: string) => rm(file)],
  ])('%s: what is compiled still answers, what is not says to load it again', async (_, change) => {
    const file = path.join(folder, 'changing.onnx')
    await copyFile(fixture, file)
    const model = await loadOnnxModel(file, { threads: 1 })
    const before = await model.ask({ feeds, read: ['logits'] })
    await change(file)
    const after = await model.ask({ feeds, read: ['logits'] })
    expect(after.values['logits']?.data).toEqual(before.values['logits']?.data)
    await expect(model.ask({ feeds, read: [model.defaultTap] })).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: expect.stringMatching(/changing\.onnx was changed or removed.*Load the model again/) as unknown,
    })
    await model.dispose()
  })
})

test('cut short anywhere: BAD_MODEL, before anything is run', async () => {
  const bytes = readFileSync(fixture)
  const file = path.join(folder, 'short.onnx')
  for (let part = 1; part < 40; part++) {
    await writeFile(file, bytes.subarray(0, Math.floor((bytes.length * part) / 40)))
    await expect(readModelFile(file)).rejects.toMatchObject({ code: 'BAD_MODEL' })
  }
})
