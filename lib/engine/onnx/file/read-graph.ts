/** The graph of the file -> ours. */
import { intConstant } from '../graph/constant.ts'
import {
  badModel,
  DataType,
  type Attribute,
  type Constant,
  type Dim,
  type Graph,
  type GraphNode,
  type ValueInfo,
} from '../graph/graph.ts'
import { topologicalOrder } from '../graph/walks.ts'
import { normalDomain } from './normal-domain.ts'
import {
  AttributeProto_AttributeType as AttributeType,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type ValueInfoProto,
} from './proto/onnx_pb.ts'
import { readTensor, type Outside } from './read-tensor.ts'

export async function readGraph(
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
