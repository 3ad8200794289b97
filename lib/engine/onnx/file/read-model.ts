/** ONNX file -> graph. Everything that can be wrong with a file is found here and becomes BAD_MODEL. */
import { realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { fromBinary } from '@bufbuild/protobuf'
import { AppError } from '../../../errors.ts'
import { sizeOf } from '../../../tensor/tensor.ts'
import { byteLength, intConstant } from '../graph/constant.ts'
import {
  badModel,
  topologicalOrder,
  DataType,
  type Attribute,
  type Constant,
  type Dim,
  type Graph,
  type GraphNode,
  type StoredBytes,
  type ValueInfo,
} from '../graph/graph.ts'
import { inlineFunctions } from './inline.ts'
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  TensorProto_DataLocation,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './proto/onnx_pb.ts'
import { skimModel } from './skim-model.ts'
import { StoredConstant, StoredFile } from '../graph/stored.ts'

const SMALL = 4096

/** More operators than any real model has: a question triples them, and takes ten seconds or a minute to prepare then. */
const MOST_OPERATORS = 30_000

/** Finds a range of an external data file by its relative name: `(location, offset, length)`. */
export type ExternalData = (location: string, offset: number, length: number) => Promise<StoredBytes>

/** Where weights are that the protobuf message does not hold. */
interface Outside {
  readonly external?: ExternalData
  readonly places?: ReadonlyMap<TensorProto, StoredBytes>
}

/**
 * Reads an ONNX file. Its large weights, and those in data files beside it, stay where they are until they are needed.
 * @throws AppError BAD_MODEL for anything that is not a whole, well-formed model; UNKNOWN_MODEL when there is no file.
 */
export async function readModelFile(file: string): Promise<Graph> {
  const real = await realpath(file).catch(() => null)
  if (real === null || !(await stat(real)).isFile())
    throw new AppError({ code: 'UNKNOWN_MODEL', message: `No ONNX model at ${path.basename(file)}.` })
  const folder = path.dirname(real)
  const own = new StoredFile(folder, real)
  const { model, places } = skimModel(real)
  return readModelProto(model, {
    external: externalDataIn(folder),
    places: new Map([...places].map(([tensor, range]) => [tensor, { file: own, ...range }])),
  })
}

/** External data confined to `folder` (a real path): no absolute names, no way out of it, symbolic links included. */
function externalDataIn(folder: string): ExternalData {
  const files = new Map<string, Promise<StoredFile>>()
  const open = async (location: string): Promise<StoredFile> => {
    const root = folder
    const wanted = path.resolve(root, location)
    const outside = (name: string): boolean => name !== root && !name.startsWith(root + path.sep)
    if (path.isAbsolute(location) || outside(wanted))
      throw badModel(`External data "${location}" lies outside the model's folder.`)
    const real = await realpath(wanted).catch(() => {
      throw badModel(`External data file "${location}" is missing. Keep it beside the model.`)
    })
    if (outside(real)) throw badModel(`External data "${location}" lies outside the model's folder.`)
    if (!(await stat(real)).isFile()) throw badModel(`External data "${location}" is not a file.`)
    return new StoredFile(root, real)
  }
  return async (location, offset, length) => {
    let opened = files.get(location)
    if (opened === undefined) files.set(location, (opened = open(location)))
    const file = await opened
    if (!Number.isSafeInteger(offset) || offset < 0 || !(length >= 0))
      throw badModel(
        `External data "${location}": its offset or length is not a whole number from 0 on. The file is damaged.`,
      )
    if (offset + length > file.size)
      throw badModel(`External data "${location}" has ${file.size} bytes, ${offset + length} are needed.`)
    return { file, offset, length }
  }
}

/**
 * Parses ONNX bytes.
 * @throws AppError BAD_MODEL
 */
export async function readModel(bytes: Uint8Array, external?: ExternalData): Promise<Graph> {
  let model: ModelProto
  try {
    model = fromBinary(ModelProtoSchema, bytes)
  } catch (cause) {
    throw badModel('The file is not an ONNX model, or it is cut short.', cause)
  }
  return readModelProto(model, external === undefined ? {} : { external })
}

async function readModelProto(file: ModelProto, outside: Outside): Promise<Graph> {
  const model = inlineFunctions(file)
  if (model.graph === undefined || model.graph.node.length === 0) throw badModel('The file holds no graph.')
  const opsets = new Map(model.opsetImport.map((one) => [normalDomain(one.domain), Number(one.version)]))
  const version = opsets.get('')
  if (version === undefined) throw badModel('The file does not say which operator set it uses.')
  refuseLoops(model.graph)
  const operators = model.graph.node.filter((node) => node.opType !== 'Constant').length
  if (operators > MOST_OPERATORS)
    throw badModel(
      `It has ${operators.toLocaleString('en')} operators, and at most ${MOST_OPERATORS.toLocaleString('en')} are allowed. Simplify the model (onnxsim), or export one without unrolled loops.`,
    )
  if (version < 7) throw badModel(`Operator set ${version} is too old. Re-export the model with opset 11 or newer.`)
  return readGraph(model.graph, opsets, Number(model.irVersion), outside)
}

/** Subgraphs inside one another: more than any exporter writes. */
const DEEPEST = 50

/** A loop may run for ever, and nothing can look in on it: such a model would take its worker with it. */
function refuseLoops(graph: GraphProto, depth = 0): void {
  if (depth > DEEPEST) throw badModel(`Its subgraphs are nested more than ${DEEPEST} deep.`)
  for (const node of graph.node) {
    if (node.opType === 'Loop' && normalDomain(node.domain) === '')
      throw badModel(
        `It holds a Loop${node.name === '' ? '' : ` ("${node.name}")`}. Export the model without control flow: with a fixed number of layers, and without generating text.`,
      )
    for (const { g, graphs } of node.attribute)
      for (const inner of g ? [g, ...graphs] : graphs) refuseLoops(inner, depth + 1)
  }
}

function normalDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}

async function readGraph(
  proto: GraphProto,
  opsets: Map<string, number>,
  irVersion: number,
  outside: Outside,
): Promise<Graph> {
  const constants = new Map<string, Constant>()
  for (const tensor of proto.initializer) constants.set(tensor.name, await readTensor(tensor, tensor.name, outside))
  if (proto.sparseInitializer.length > 0) throw badModel('Sparse weights are not supported. Export dense ones.')
  const nodes: GraphNode[] = []
  for (const nodeProto of proto.node) {
    const node = await readNode(nodeProto, outside)
    const value = node.operator === 'Constant' && node.domain === '' ? constantOf(node) : undefined
    const output = node.outputs[0]
    if (value !== undefined && output !== undefined) constants.set(output, value)
    else nodes.push(node)
  }
  // Before IR 4 every initialiser was listed as an input too.
  const inputs = proto.input.filter((one) => !constants.has(one.name)).map(readValueInfo)
  const outputs = proto.output.map(readValueInfo)
  if (outputs.length === 0) throw badModel('The model has no outputs.')
  const available = new Set([...constants.keys(), ...inputs.map((one) => one.name)])
  const ordered = topologicalOrder(nodes, available)
  const made = new Set(ordered.flatMap((node) => node.outputs))
  for (const output of outputs)
    if (!made.has(output.name) && !available.has(output.name))
      throw badModel(`Nothing makes the output "${output.name}".`)
  const values = new Map<string, ValueInfo>()
  for (const one of [...proto.valueInfo.map(readValueInfo), ...inputs, ...outputs]) values.set(one.name, one)
  return { name: proto.name, nodes: ordered, inputs, outputs, constants, values, opsets, irVersion }
}

function readValueInfo(proto: ValueInfoProto): ValueInfo {
  const tensor = proto.type?.value.case === 'tensorType' ? proto.type.value.value : undefined
  const shape =
    tensor?.shape?.dim.map((dim): Dim => {
      if (dim.value.case === 'dimValue') return dim.value.value >= 0n ? Number(dim.value.value) : null
      return dim.value.case === 'dimParam' && dim.value.value !== '' ? dim.value.value : null
    }) ?? null
  return { name: proto.name, type: tensor?.elemType ?? 0, shape }
}

async function readNode(proto: NodeProto, outside: Outside): Promise<GraphNode> {
  const attributes: Record<string, Attribute> = {}
  const captures: string[] = []
  for (const attribute of proto.attribute) {
    attributes[attribute.name] = await readAttribute(attribute, outside)
    for (const graph of attribute.g ? [attribute.g, ...attribute.graphs] : attribute.graphs)
      captures.push(...capturedBy(graph))
  }
  const scope = scopeOf(proto)
  return {
    name: proto.name,
    operator: proto.opType,
    domain: normalDomain(proto.domain),
    inputs: proto.input,
    outputs: proto.output,
    attributes,
    ...(captures.length > 0 ? { captures } : {}),
    ...(scope === undefined ? {} : { scope }),
  }
}

/** torch's dynamo exporter writes the module path as metadata: "['', 'layer1', 'layer1.0.conv1', 'conv2d']". */
function scopeOf(proto: NodeProto): string | undefined {
  const text = proto.metadataProps.find((one) => one.key === 'pkg.torch.onnx.name_scopes')?.value
  return text
    ?.match(/'([^']*)'/g)
    ?.map((quoted) => quoted.slice(1, -1))
    .filter((one) => one !== '')
    .at(-2)
}

/** Names a subgraph reads from outside itself. */
function capturedBy(graph: GraphProto): string[] {
  const own = new Set([
    ...graph.input.map((one) => one.name),
    ...graph.initializer.map((one) => one.name),
    ...graph.node.flatMap((node) => node.output),
  ])
  const reads = graph.node.flatMap((node) => [
    ...node.input,
    ...node.attribute.flatMap((one) => (one.g ? capturedBy(one.g) : [])),
  ])
  return [...new Set([...reads, ...graph.output.map((one) => one.name)])].filter(
    (name) => name !== '' && !own.has(name),
  )
}

async function readAttribute(proto: AttributeProto, outside: Outside): Promise<Attribute> {
  const text = new TextDecoder()
  switch (proto.type) {
    case AttributeType.FLOAT:
      return { kind: 'float', value: proto.f }
    case AttributeType.INT:
      return { kind: 'int', value: Number(proto.i) }
    case AttributeType.STRING:
      return { kind: 'string', value: text.decode(proto.s) }
    case AttributeType.FLOATS:
      return { kind: 'floats', value: proto.floats }
    case AttributeType.INTS:
      return { kind: 'ints', value: proto.ints.map(Number) }
    case AttributeType.STRINGS:
      return { kind: 'strings', value: proto.strings.map((one) => text.decode(one)) }
    case AttributeType.TENSOR:
      if (proto.t === undefined) throw badModel(`Attribute "${proto.name}" holds no tensor.`)
      if (proto.t.dataType === 8) return { kind: 'raw', value: proto }
      return { kind: 'tensor', value: await readTensor(proto.t, proto.t.name || proto.name, outside) }
    default:
      return { kind: 'raw', value: proto }
  }
}

function constantOf(node: GraphNode): Constant | undefined {
  const { value, value_float, value_floats, value_int, value_ints } = node.attributes
  if (value?.kind === 'tensor') return value.value
  if (value_int?.kind === 'int') return intConstant([value_int.value], [])
  if (value_ints?.kind === 'ints') return intConstant(value_ints.value)
  const floats = (values: readonly number[], dims: readonly number[]): Constant => ({
    type: DataType.float,
    dims,
    bytes: new Uint8Array(Float32Array.from(values).buffer),
  })
  if (value_float?.kind === 'float') return floats([value_float.value], [])
  if (value_floats?.kind === 'floats') return floats(value_floats.value, [value_floats.value.length])
  return undefined
}

async function readTensor(proto: TensorProto, name: string, outside: Outside): Promise<Constant> {
  const dims = proto.dims.map(Number)
  const type = proto.dataType
  const length = byteLength(type, dims, name)
  const wrong = (found: number): AppError =>
    badModel(`Weight "${name}" of shape [${dims.join(', ')}] needs ${length} bytes, found ${found}.`)
  const place = outside.places?.get(proto)
  if (place !== undefined) {
    if (place.length !== length) throw wrong(place.length)
    return new StoredConstant(type, dims, place)
  }
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    const entries = new Map(proto.externalData.map((one) => [one.key, one.value]))
    const location = entries.get('location')
    if (location === undefined || outside.external === undefined)
      throw badModel(`Weight "${name}" lies in a file that is not given.`)
    const stated = entries.get('length')
    if (stated !== undefined && Number(stated) !== length)
      throw badModel(`Weight "${name}" needs ${length} bytes, its entry says ${stated}.`)
    const stored = await outside.external(location, Number(entries.get('offset') ?? 0), length)
    // Small ones are read now: they are sizes and axes.
    return length < SMALL
      ? { type, dims, bytes: stored.file.read(stored.offset, length) }
      : new StoredConstant(type, dims, stored)
  }
  const bytes = proto.rawData.length > 0 ? proto.rawData : typedBytes(proto)
  if (bytes.length !== length) throw wrong(bytes.length)
  return { type, dims, bytes }
}

/** The values of a tensor written in typed fields instead of raw bytes. */
function typedBytes(proto: TensorProto): Uint8Array {
  const of = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  switch (proto.dataType) {
    case DataType.float:
      return of(Float32Array.from(proto.floatData))
    case DataType.int32:
      return of(Int32Array.from(proto.int32Data))
    case DataType.int16:
    case DataType.uint16:
    case DataType.float16:
    case DataType.bfloat16:
      return of(Uint16Array.from(proto.int32Data))
    case DataType.int64:
      return of(BigInt64Array.from(proto.int64Data))
    case DataType.double:
      return of(Float64Array.from(proto.doubleData))
    case DataType.uint32:
      return of(Uint32Array.from(proto.uint64Data, Number))
    case DataType.uint64:
      return of(BigUint64Array.from(proto.uint64Data))
    default:
      return sizeOf(proto.dims.map(Number)) === 0 ? new Uint8Array() : of(Uint8Array.from(proto.int32Data))
  }
}
