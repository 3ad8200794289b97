/**
 * Models whose activations are float16, bfloat16 or double, computed in float32: one element type for every rule, and
 * operators that ONNX Runtime's CPU has in float32 only. Half-precision weights widen to exactly the same numbers, so the
 * result is the float32 network on those weights. Models that keep other types in constants alone stay as they are:
 * folding turns those into float32 without help.
 */
import { floatConstant, floatsOf } from '../graph/constant.ts'
import {
  badModel,
  DataType,
  describeNode,
  operatorKey,
  readsOf,
  type Attribute,
  type Constant,
  type Graph,
  type GraphNode,
  type ValueInfo,
} from '../graph/graph.ts'
import { DECOMPOSITIONS } from './decompose.ts'
import { operatorOf } from '../operators/operator-of.ts'
import { typeName } from '../run/runtime.ts'

const OTHER_FLOATS: ReadonlySet<number> = new Set([DataType.float16, DataType.bfloat16, DataType.double])

/** Attributes that name the element type of an output. */
const TYPE_ATTRIBUTES = ['to', 'dtype', 'output_dtype', 'output_datatype', 'stash_type', 'softmax_precision']

const LARGEST = 3.4028234663852886e38

function isFloat(type: number | undefined): boolean {
  return type === DataType.float || (type !== undefined && OTHER_FLOATS.has(type))
}

/** The element types beside float32 that the node itself names. */
function typesNamedBy(node: GraphNode): number[] {
  return Object.entries(node.attributes)
    .flatMap(([name, attribute]) => {
      if (attribute.kind === 'tensor') return [attribute.value.type]
      return attribute.kind === 'int' && TYPE_ATTRIBUTES.includes(name) ? [attribute.value] : []
    })
    .filter((type) => OTHER_FLOATS.has(type))
}

/** The element types beside float32 in which the graph computes what is not known before the run. */
function computedTypes(graph: Graph): Set<number> {
  const found = new Set<number>()
  const note = (type: number | undefined): void => {
    if (type !== undefined && OTHER_FLOATS.has(type)) found.add(type)
  }
  for (const info of graph.inputs) note(info.type)
  const known = new Set(graph.constants.keys())
  for (const node of graph.nodes) {
    const reads = readsOf(node)
    if (reads.length > 0 && reads.every((name) => known.has(name))) {
      for (const name of node.outputs) known.add(name)
      continue
    }
    for (const name of reads) note(graph.constants.get(name)?.type)
    for (const name of node.outputs) note(graph.values.get(name)?.type)
    typesNamedBy(node).forEach(note)
  }
  return found
}

function widenedConstant(constant: Constant): Constant {
  if (!OTHER_FLOATS.has(constant.type)) return constant
  const values = floatsOf(constant)
  // A double's "lowest number" stands for "masked out"; as -inf it would make NaN of a row that is masked altogether.
  const doubles =
    constant.type === DataType.double ? new Float64Array(new Uint8Array(constant.bytes).buffer) : undefined
  doubles?.forEach((value, index) => {
    if (Number.isFinite(value)) values[index] = Math.max(-LARGEST, Math.min(LARGEST, value))
  })
  return floatConstant(values, constant.dims)
}

function widenedInfo(info: ValueInfo): ValueInfo {
  return OTHER_FLOATS.has(info.type) ? { ...info, type: DataType.float } : info
}

function widenedNode(node: GraphNode): GraphNode {
  if (typesNamedBy(node).length === 0) return node
  const attributes = Object.entries(node.attributes).map(([name, attribute]): [string, Attribute] => {
    if (attribute.kind === 'tensor') return [name, { kind: 'tensor', value: widenedConstant(attribute.value) }]
    const other = attribute.kind === 'int' && TYPE_ATTRIBUTES.includes(name) && OTHER_FLOATS.has(attribute.value)
    return [name, other ? { kind: 'int', value: DataType.float } : attribute]
  })
  return { ...node, attributes: Object.fromEntries(attributes) }
}

/** Which outputs are certainly float tensors: files need not say it, and types are not inferred yet. */
function floatOutputs(node: GraphNode, floats: ReadonlySet<string>): readonly string[] {
  if (typesNamedBy(node).length > 0) return node.outputs
  const { rule, typeFrom = 0 } = operatorOf(node)
  const isKnown = DECOMPOSITIONS[operatorKey(node)] !== undefined || (rule && !rule.carriesIntegers)
  if (!isKnown || typeFrom === null || !floats.has(node.inputs[typeFrom] ?? '')) return []
  return node.outputs.slice(0, rule?.outputs ?? 1)
}

/** Leaves out casts from one float type to another, which now change nothing; the outputs' names stay. */
function withoutIdleCasts(graph: Graph): Graph {
  const floats = new Set<string>()
  for (const [name, info] of graph.values) if (isFloat(info.type)) floats.add(name)
  for (const [name, constant] of graph.constants) if (isFloat(constant.type)) floats.add(name)
  const outputs = new Set(graph.outputs.map((one) => one.name))
  const made = new Set(graph.nodes.flatMap((node) => node.outputs))
  const alias = new Map<string, string>()
  const resolve = (name: string): string => {
    let resolved = name
    for (let next = alias.get(name); next !== undefined; next = alias.get(next)) resolved = next
    return resolved
  }
  const isIdle = (node: GraphNode): boolean => {
    const target = node.operator === 'Cast' && node.domain === '' ? node.attributes['to'] : undefined
    for (const name of floatOutputs(node, floats)) floats.add(name)
    if (target?.kind !== 'int' || !isFloat(target.value)) return false
    const [to = ''] = node.outputs
    floats.add(to)
    if (!floats.has(node.inputs[0] ?? '')) return false
    const from = resolve(node.inputs[0] ?? '')
    if (!outputs.has(to)) alias.set(to, from)
    else if (made.has(from) && !outputs.has(from)) alias.set(from, to)
    else return false
    return true
  }
  const nodes = graph.nodes.filter((node) => !isIdle(node))
  return {
    ...graph,
    nodes: nodes.map((node) => ({ ...node, inputs: node.inputs.map(resolve), outputs: node.outputs.map(resolve) })),
  }
}

/**
 * The graph with every float tensor in float32; the same graph where all of them are already, or are constants.
 * @throws AppError BAD_MODEL for subgraphs in a half-precision model.
 */
export function widen(graph: Graph): Graph {
  const types = computedTypes(graph)
  if (types.size === 0) return graph
  const holder = graph.nodes.find((node) => operatorOf(node).subgraphs)
  if (holder) {
    // Doubles beside float32 run as they are; only gradients through them are lost.
    if (types.size === 1 && types.has(DataType.double)) return graph
    throw badModel(
      `${describeNode(holder)}: a half-precision model with subgraphs is not supported. Export it in float32.`,
    )
  }
  const plain = withoutIdleCasts(graph)
  return {
    ...plain,
    nodes: plain.nodes.map(widenedNode),
    inputs: graph.inputs.map(widenedInfo),
    outputs: graph.outputs.map(widenedInfo),
    values: new Map([...graph.values].map(([name, info]) => [name, widenedInfo(info)])),
    constants: new Map([...graph.constants].map(([name, constant]) => [name, widenedConstant(constant)])),
    widened: [...types].map((type) => (type === DataType.bfloat16 ? 'bfloat16' : typeName(type))).sort(),
  }
}

/** What a reader of values must know about a widened model; '' for any other. */
export function precisionNote(graph: Graph): string {
  return graph.widened ? `The model’s ${graph.widened.join(' and ')} tensors are computed in float32.` : ''
}
