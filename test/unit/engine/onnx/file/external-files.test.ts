import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { create, toBinary } from '@bufbuild/protobuf'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { externalFiles } from '../../../../../lib/engine/onnx/file/external-files.ts'
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  TensorProto_DataLocation,
  type GraphProto,
} from '../../../../../lib/engine/onnx/file/proto/onnx_pb.ts'

const beside = (location: string) =>
  create(TensorProtoSchema, {
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [
      { key: 'offset', value: '12' },
      { key: 'location', value: location },
    ],
  })
const constant = (value: string) =>
  create(NodeProtoSchema, {
    opType: 'Constant',
    attribute: [create(AttributeProtoSchema, { type: AttributeProto_AttributeType.TENSOR, t: beside(value) })],
  })
const inside = create(TensorProtoSchema, { name: 'location', rawData: new Uint8Array([106, 3, 1, 2, 3]) })
const bytesOf = (graph: GraphProto): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { producerName: 'test', graph, functions: [{ name: 'f', node: [constant('function')] }] }),
  )

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limelight-external-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function filesIn(bytes: Uint8Array): Promise<readonly string[]> {
  const path = join(folder, 'model.onnx')
  await writeFile(path, bytes)
  return externalFiles(path)
}

test('finds the files of initialisers and constants, in subgraphs and functions too, each once', async () => {
  const branch = create(NodeProtoSchema, {
    opType: 'If',
    attribute: [
      create(AttributeProtoSchema, {
        type: AttributeProto_AttributeType.GRAPH,
        g: create(GraphProtoSchema, { initializer: [beside('in-a-branch')], node: [constant('deep')] }),
      }),
    ],
  })
  const graph = create(GraphProtoSchema, {
    initializer: [inside, beside('weights.data'), beside('more/weights.data'), beside('weights.data')],
    node: [constant('constant.data'), branch],
  })
  // In the order of the file: a model's hash goes over them one after the other.
  expect(await filesIn(bytesOf(graph))).toEqual([
    'constant.data',
    'deep',
    'in-a-branch',
    'weights.data',
    'more/weights.data',
    'function',
  ])
})

const SQUEEZENET = fileURLToPath(new URL('../../../../fixtures/networks/squeezenet.onnx', import.meta.url))

test('finds none in a model that holds its weights', () => {
  expect(externalFiles(SQUEEZENET)).toEqual([])
})

test.each([0.2, 0.5, 0.9])('refuses a file cut at %d', async (share) => {
  const bytes = await readFile(SQUEEZENET)
  await expect(filesIn(bytes.subarray(0, Math.floor(bytes.length * share)))).rejects.toThrow(/cut short/)
})
