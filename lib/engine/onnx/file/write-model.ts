/** Graph -> ONNX bytes. */
import { create, toBinary } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './proto/onnx_pb.ts'
import { int64Of } from '../graph/constant.ts'
import type { Attribute, Constant, Graph, GraphNode, StoredBytes, ValueInfo } from '../graph/graph.ts'
import { byteCount } from '../graph/stored.ts'

/** Constants above this are appended behind the encoded rest, so that their bytes are copied once and not once a level. */
const LARGE = 4096

function writeTensor(name: string, { dims, type, bytes }: Constant): TensorProto {
  return create(TensorProtoSchema, { name, dims: dims.map(BigInt), dataType: type, rawData: bytes })
}

function writeReference(name: string, { dims, type }: Constant, { file, offset, length }: StoredBytes): TensorProto {
  const entries = { location: file.location, offset: String(offset), length: String(length) }
  return create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType: type,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
  })
}

function writeAttribute(name: string, attribute: Attribute): AttributeProto {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  switch (attribute.kind) {
    case 'int':
      return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: int64Of(attribute.value) })
    case 'float':
      return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: attribute.value })
    case 'string':
      return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: bytes(attribute.value) })
    case 'ints':
      return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: attribute.value.map(int64Of) })
    case 'floats':
      return create(AttributeProtoSchema, { name, type: AttributeType.FLOATS, floats: [...attribute.value] })
    case 'strings':
      return create(AttributeProtoSchema, { name, type: AttributeType.STRINGS, strings: attribute.value.map(bytes) })
    case 'tensor':
      return create(AttributeProtoSchema, { name, type: AttributeType.TENSOR, t: writeTensor('', attribute.value) })
    case 'raw':
      return attribute.value as AttributeProto
  }
}

function writeNode(node: GraphNode): NodeProto {
  return create(NodeProtoSchema, {
    name: node.name,
    opType: node.operator,
    domain: node.domain,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(([name, value]) => writeAttribute(name, value)),
  })
}

function writeValueInfo(info: ValueInfo): ValueInfoProto {
  const shape =
    info.shape === null
      ? {}
      : {
          shape: create(TensorShapeProtoSchema, {
            dim: info.shape.map((dim) =>
              create(
                TensorShapeProto_DimensionSchema,
                typeof dim === 'number'
                  ? { value: { case: 'dimValue', value: BigInt(dim) } }
                  : dim === null
                    ? {}
                    : { value: { case: 'dimParam', value: dim } },
              ),
            ),
          }),
        }
  return create(ValueInfoProtoSchema, {
    name: info.name,
    ...(info.type === 0
      ? {}
      : {
          type: create(TypeProtoSchema, {
            value: { case: 'tensorType', value: create(TypeProto_TensorSchema, { elemType: info.type, ...shape }) },
          }),
        }),
  })
}

function writeGraph(graph: Graph, constants: readonly (readonly [string, Constant])[]): GraphProto {
  return create(GraphProtoSchema, {
    name: graph.name || 'graph',
    node: graph.nodes.map(writeNode),
    initializer: constants.map(([name, constant]) =>
      constant.stored === undefined || byteCount(constant) <= LARGE
        ? writeTensor(name, constant)
        : writeReference(name, constant, constant.stored),
    ),
    input: graph.inputs.map(writeValueInfo),
    output: graph.outputs.map(writeValueInfo),
    valueInfo: (graph.stated ?? []).map(writeValueInfo),
  })
}

/** With `referenced`, weights in the model's files are named by place, and the bytes are of use in their folder only. */
export type Weights = 'held' | 'referenced'

/** Serialises a graph; inner value infos are left out but for the stated ones (the runtime infers them). */
export function writeModel(graph: Graph, weights: Weights = 'held'): Uint8Array {
  const entries = [...graph.constants]
  const stays = (constant: Constant): boolean =>
    (weights === 'referenced' && constant.stored !== undefined) || byteCount(constant) <= LARGE
  const large = entries.filter(([, constant]) => !stays(constant))
  const model = toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: BigInt(graph.irVersion),
      producerName: 'limelight',
      opsetImport: [...graph.opsets].map(([domain, version]) =>
        create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
      ),
      graph: writeGraph(
        graph,
        entries.filter(([, constant]) => stays(constant)),
      ),
    }),
  )
  return appendInitialisers(model, large)
}

/**
 * Protobuf merges a message that occurs twice, so more initialisers may follow as a second `graph` field: the weights
 * are copied once into the result, whatever their size.
 */
function appendInitialisers(model: Uint8Array, constants: readonly (readonly [string, Constant])[]): Uint8Array {
  const header = (field: number, length: number): Uint8Array =>
    new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length).finish()
  const chunks: Uint8Array[] = [model]
  for (const [name, { dims, type, bytes }] of constants) {
    const head = toBinary(
      TensorProtoSchema,
      create(TensorProtoSchema, { name, dims: dims.map(BigInt), dataType: type }),
    )
    const rawData = header(9, bytes.length)
    const tensorLength = head.length + rawData.length + bytes.length
    const initializer = header(5, tensorLength)
    chunks.push(header(7, initializer.length + tensorLength), initializer, head, rawData, bytes)
  }
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}
