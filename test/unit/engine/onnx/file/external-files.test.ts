import { readFile } from 'node:fs/promises'
import { create, toBinary } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
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
const inside = create(TensorProtoSchema, { name: 'location', rawData: new Uint8Array([106, 3, 1, 2, 3]) })
const bytesOf = (graph: GraphProto): Uint8Array =>
  toBinary(ModelProtoSchema, create(ModelProtoSchema, { producerName: 'test', graph }))

test('finds the files of initialisers and constants, in subgraphs too, each once', () => {
  const constant = (value: string) =>
    create(NodeProtoSchema, {
      opType: 'Constant',
      attribute: [create(AttributeProtoSchema, { type: AttributeProto_AttributeType.TENSOR, t: beside(value) })],
    })
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
  expect([...externalFiles(bytesOf(graph))].sort()).toEqual(
    ['constant.data', 'deep', 'in-a-branch', 'more/weights.data', 'weights.data'].sort(),
  )
})

test('finds none in a model that holds its weights', async () => {
  const file = new URL('../../../../fixtures/networks/squeezenet.onnx', import.meta.url)
  expect(externalFiles(await readFile(file))).toEqual([])
})

test.each([0.2, 0.5, 0.9])('refuses a file cut at %d', async (share) => {
  const bytes = await readFile(new URL('../../../../fixtures/networks/squeezenet.onnx', import.meta.url))
  expect(() => externalFiles(bytes.subarray(0, Math.floor(bytes.length * share)))).toThrow(/cut short/)
})
