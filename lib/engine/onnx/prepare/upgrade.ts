/**
 * One form for every operator: graphs of older operator sets are rewritten to set 18 (attributes that became inputs,
 * operators that were renamed), so that gradient rules know one form only.
 */
import { floatConstant, floatsOf, intConstant } from '../graph/constant.ts'
import { placeOf } from '../graph/builder.ts'
import {
  badModel,
  DataType,
  describeNode,
  floatAttribute,
  intAttribute,
  intsAttribute,
  readsOf,
  shapeIn,
  textAttribute,
  type Attribute,
  type Constant,
  type Graph,
  type GraphNode,
} from '../graph/graph.ts'
import type { AttributeProto, GraphProto } from '../file/proto/onnx_pb.ts'

/** The operator set that rules are written for; newer models keep theirs, whose forms are the same. */
export const RULES_OPSET = 18

const REDUCTIONS = new Set(
  'L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare'.split(' ').map((name) => `Reduce${name}`),
)

class Rewriter {
  readonly constants = new Map<string, Constant>()
  readonly nodes: GraphNode[] = []
  constructor(
    readonly graph: Graph,
    readonly version: number,
  ) {}

  /** Whether a node or an output of the graph needs this tensor. */
  isRead(name: string): boolean {
    this.#read ??= new Set([...this.graph.nodes.flatMap(readsOf), ...this.graph.outputs.map((one) => one.name)])
    return this.#read.has(name)
  }
  #read: ReadonlySet<string> | undefined

  constant(value: Constant): string {
    const name = `limelight:upgrade/${this.constants.size}`
    this.constants.set(name, value)
    return name
  }
  ints(values: readonly number[]): string {
    return this.constant(intConstant(values))
  }
  float(value: number): string {
    return this.constant(floatConstant([value], []))
  }
}

function without(node: GraphNode, ...names: string[]): Record<string, Attribute> {
  return Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !names.includes(name)))
}

/** A node beside the one that is rewritten. It is named by what it makes: old exporters leave nodes without names. */
function beside(
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, Attribute>> = {},
): GraphNode {
  return { name: `limelight:upgrade/${output}`, domain: '', operator, inputs, outputs: [output], attributes }
}

/** Rewrites one node, or gives it back as it is. */
function rewrite(node: GraphNode, at: Rewriter): GraphNode | readonly GraphNode[] {
  const { version } = at
  const [x = ''] = node.inputs
  const attributeToInput = (name: string): GraphNode => {
    const values = intsAttribute(node, name)
    const inputs = values === undefined ? [x] : [x, at.ints(values)]
    return { ...node, inputs, attributes: without(node, name) }
  }
  if (REDUCTIONS.has(node.operator) && node.inputs.length < 2 && version < 18) return attributeToInput('axes')
  switch (node.operator) {
    case 'Squeeze':
    case 'Unsqueeze':
      return version < 13 ? attributeToInput('axes') : node
    case 'Split': {
      if (version >= 18 || (version >= 13 && node.inputs.length > 1)) return node
      const sizes = intsAttribute(node, 'split')
      if (sizes) return { ...node, inputs: [x, at.ints(sizes)], attributes: without(node, 'split') }
      return { ...node, attributes: { ...node.attributes, num_outputs: { kind: 'int', value: node.outputs.length } } }
    }
    case 'Clip': {
      if (version >= 11) return node
      const [low, high] = [floatAttribute(node, 'min'), floatAttribute(node, 'max')]
      const bounds = [low, high].map((bound) => (bound === undefined ? '' : at.float(bound)))
      return { ...node, inputs: [x, ...bounds], attributes: {} }
    }
    case 'Slice': {
      if (version >= 10) return node
      const lists = ['starts', 'ends', 'axes'].map((name) => intsAttribute(node, name))
      return { ...node, inputs: [x, ...lists.flatMap((list) => (list ? [at.ints(list)] : []))], attributes: {} }
    }
    case 'Pad': {
      if (version >= 11) return node
      const pads = intsAttribute(node, 'pads') ?? intsAttribute(node, 'paddings') ?? []
      const inputs = [x, at.ints(pads), at.float(floatAttribute(node, 'value') ?? 0)]
      return { ...node, inputs, attributes: without(node, 'pads', 'paddings', 'value') }
    }
    case 'TopK': {
      if (version >= 10) return node
      return { ...node, inputs: [x, at.ints([intAttribute(node, 'k') ?? 1])], attributes: without(node, 'k') }
    }
    case 'Dropout':
      return dropout(node, at)
    case 'BatchNormalization':
      return batchNormalization(node, at)
    case 'Scatter':
      return { ...node, operator: 'ScatterElements' }
    case 'Upsample':
    case 'Resize':
      return version < 11 ? resizeOfOldSets(node, at) : node
    case 'Softmax':
    case 'LogSoftmax':
    case 'Hardmax':
      return version < 13 ? softmaxOfOldSets(node, at) : node
    case 'RoiAlign':
      return version < 16
        ? {
            ...node,
            attributes: {
              ...node.attributes,
              coordinate_transformation_mode: { kind: 'string', value: 'output_half_pixel' },
            },
          }
        : node
    default:
      return node
  }
}

/** At inference it passes its input on; the mask, where somebody reads it, is all ones: floats before set 10, then booleans. */
function dropout(node: GraphNode, at: Rewriter): GraphNode | readonly GraphNode[] {
  const [x = ''] = node.inputs
  const [y = '', mask = ''] = node.outputs
  const identity = { ...node, operator: 'Identity', inputs: [x], outputs: [y], attributes: {} }
  if (mask === '' || !at.isRead(mask)) return identity
  const ones = at.version < 10 ? floatConstant([1], [1]) : { type: DataType.bool, dims: [1], bytes: Uint8Array.of(1) }
  const shape = `${mask}/shape`
  return [
    identity,
    beside('Shape', [x], shape),
    beside('ConstantOfShape', [shape], mask, { value: { kind: 'tensor', value: ones } }),
  ]
}

/** @throws AppError BAD_MODEL in training form, where a row's output depends on the rows beside it. */
function batchNormalization(node: GraphNode, at: Rewriter): GraphNode | readonly GraphNode[] {
  const training =
    at.version < 14 ? node.outputs.slice(1).some((name) => name !== '') : intAttribute(node, 'training_mode')
  if (training)
    throw badModel(
      `${describeNode(node)} is in its training form: it normalises by the batch it is given. Export the model for inference, with model.eval().`,
    )
  if (at.version >= 14) return node
  if (at.version < 9 && intAttribute(node, 'spatial') === 0) return normalizationAtEachPlace(node, at)
  return { ...node, outputs: node.outputs.slice(0, 1), attributes: without(node, 'spatial', 'momentum') }
}

/** `spatial` 0, before set 9: statistics of each place, [C, H, W], and not of each channel. */
function normalizationAtEachPlace(node: GraphNode, at: Rewriter): readonly GraphNode[] {
  const [x = '', scale = '', bias = '', mean = '', variance = ''] = node.inputs
  const y = node.outputs[0] ?? ''
  const epsilon = at.float(floatAttribute(node, 'epsilon') ?? 1e-5)
  return [
    beside('Add', [variance, epsilon], `${y}/variance`),
    beside('Sqrt', [`${y}/variance`], `${y}/deviation`),
    beside('Sub', [x, mean], `${y}/centred`),
    beside('Div', [`${y}/centred`, `${y}/deviation`], `${y}/standardised`),
    beside('Mul', [`${y}/standardised`, scale], `${y}/scaled`),
    { ...node, operator: 'Add', inputs: [`${y}/scaled`, bias], outputs: [y], attributes: {} },
  ]
}

/** Nearest values are those at the place rounded down where an axis grows and rounded up where it shrinks. */
function resizeOfOldSets(node: GraphNode, at: Rewriter): GraphNode | readonly GraphNode[] {
  const [x = '', given = ''] = node.inputs
  const attribute = node.attributes['scales']
  const scales =
    attribute?.kind === 'floats' ? at.constant(floatConstant(attribute.value, [attribute.value.length])) : given
  const mode = textAttribute(node, 'mode') ?? 'nearest'
  const resize = (from: string, by: string, rounding: 'floor' | 'ceil', to = node.outputs[0] ?? ''): GraphNode => ({
    ...beside('Resize', [from, '', by], to),
    attributes: {
      mode: { kind: 'string', value: mode === 'bilinear' ? 'linear' : mode },
      coordinate_transformation_mode: { kind: 'string', value: 'asymmetric' },
      nearest_mode: { kind: 'string', value: rounding },
    },
  })
  const known = at.constants.get(scales) ?? at.graph.constants.get(scales)
  const factors = known && [...floatsOf(known)]
  if (mode !== 'nearest' || node.operator === 'Upsample' || factors?.every((one) => one >= 1))
    return { ...resize(x, scales, 'floor'), name: node.name }
  if (factors?.every((one) => one <= 1)) return { ...resize(x, scales, 'ceil'), name: node.name }
  const [grown, up, down] = ['grown', 'up', 'down'].map((part) => `${node.outputs[0]}/${part}`) as [
    string, string, string,
  ] // prettier-ignore
  return [
    beside('Max', [scales, at.float(1)], up),
    beside('Min', [scales, at.float(1)], down),
    resize(x, up, 'floor', grown),
    { ...resize(grown, down, 'ceil'), name: node.name },
  ]
}

/** Before set 13, softmax ran over everything from `axis` (default 1) on, as if flattened. */
function softmaxOfOldSets(node: GraphNode, at: Rewriter): GraphNode | readonly GraphNode[] {
  const axis = intAttribute(node, 'axis') ?? 1
  const [x = ''] = node.inputs
  const shape = shapeIn(at.graph, x)
  const last: Record<string, Attribute> = { axis: { kind: 'int', value: -1 } }
  if (axis === -1 || (shape && placeOf(axis, shape.length) === shape.length - 1)) return { ...node, attributes: last }
  const name = node.outputs[0] ?? ''
  return [
    beside('Shape', [x], `${name}/shape`),
    beside('Flatten', [x], `${name}/rows`, { axis: { kind: 'int', value: axis } }),
    { ...node, inputs: [`${name}/rows`], outputs: [`${name}/flat`], attributes: last },
    beside('Reshape', [`${name}/flat`, `${name}/shape`], name),
  ]
}

/** Operators whose form has changed -> the set from which on it is the present one. */
const CHANGED: ReadonlyMap<string, number> = new Map([
  ...[...REDUCTIONS].map((name) => [name, name === 'ReduceSum' ? 13 : 18] as const),
  ...Object.entries({ Squeeze: 13, Unsqueeze: 13, Split: 13, Clip: 11, Slice: 10, Pad: 11, TopK: 10, Dropout: 12 }),
  ...Object.entries({ BatchNormalization: 14, Scatter: 11, Upsample: 10, Resize: 11, RoiAlign: 16 }),
  ...Object.entries({ Softmax: 13, LogSoftmax: 13, Hardmax: 13 }),
])

/** @throws AppError BAD_MODEL where a branch holds an older form: branches are passed through as they came. */
function refuseOlderBranches(node: GraphNode, version: number): void {
  const inner = (graph: GraphProto): readonly string[] =>
    graph.node.flatMap((one) => [one.opType, ...one.attribute.flatMap(within)])
  const within = ({ g, graphs }: AttributeProto): readonly string[] => (g ? [g, ...graphs] : graphs).flatMap(inner)
  for (const attribute of Object.values(node.attributes)) {
    if (attribute.kind !== 'raw') continue
    const older = within(attribute.value as AttributeProto).find((name) => version < (CHANGED.get(name) ?? 0))
    if (older !== undefined)
      throw badModel(
        `${describeNode(node)} holds the operator ${older} in its form of operator set ${version}. Export the model again with opset ${RULES_OPSET} or newer, or without control flow.`,
      )
  }
}

/**
 * The graph in the form that gradient rules are written for.
 * @throws AppError BAD_MODEL for training forms, and for older forms inside branches.
 */
export function upgrade(graph: Graph): Graph {
  const version = graph.opsets.get('') ?? RULES_OPSET
  const at = new Rewriter(graph, version)
  for (const node of graph.nodes) refuseOlderBranches(node, version)
  const nodes = graph.nodes.flatMap((node) => (node.domain === '' ? rewrite(node, at) : node))
  return {
    ...graph,
    nodes,
    constants: new Map([...graph.constants, ...at.constants]),
    opsets: new Map([...graph.opsets, ['', Math.max(version, RULES_OPSET)]]),
    irVersion: Math.max(graph.irVersion, 8),
  }
}
