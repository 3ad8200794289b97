/**
 * One form for every operator: graphs of older operator sets are rewritten to set 18 (attributes that became inputs,
 * operators that were renamed), so that gradient rules know one form only.
 */
import { floatConstant, intConstant } from './constant.ts'
import { placeOf } from './builder.ts'
import {
  DataType,
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
} from './graph.ts'

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
      return version < 14
        ? { ...node, outputs: node.outputs.slice(0, 1), attributes: without(node, 'spatial', 'momentum') }
        : node
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
    { name: `${node.name}/shape`, domain: '', operator: 'Shape', inputs: [x], outputs: [shape], attributes: {} },
    {
      name: `${node.name}/mask`,
      domain: '',
      operator: 'ConstantOfShape',
      inputs: [shape],
      outputs: [mask],
      attributes: { value: { kind: 'tensor', value: ones } },
    },
  ]
}

function resizeOfOldSets(node: GraphNode, at: Rewriter): GraphNode {
  const [x = '', given = ''] = node.inputs
  const attribute = node.attributes['scales']
  const scales =
    attribute?.kind === 'floats' ? at.constant(floatConstant(attribute.value, [attribute.value.length])) : given
  const mode = textAttribute(node, 'mode') ?? 'nearest'
  return {
    ...node,
    operator: 'Resize',
    inputs: [x, '', scales],
    attributes: {
      mode: { kind: 'string', value: mode === 'bilinear' ? 'linear' : mode },
      coordinate_transformation_mode: { kind: 'string', value: 'asymmetric' },
      nearest_mode: { kind: 'string', value: 'floor' },
    },
  }
}

/** Before set 13, softmax ran over everything from `axis` (default 1) on, as if flattened. */
function softmaxOfOldSets(node: GraphNode, at: Rewriter): GraphNode | readonly GraphNode[] {
  const axis = intAttribute(node, 'axis') ?? 1
  const [x = ''] = node.inputs
  const shape = shapeIn(at.graph, x)
  const last: Record<string, Attribute> = { axis: { kind: 'int', value: -1 } }
  if (axis === -1 || (shape && placeOf(axis, shape.length) === shape.length - 1)) return { ...node, attributes: last }
  const name = node.outputs[0] ?? ''
  const plain = (part: string): { domain: string; name: string } => ({ domain: '', name: `${node.name}/${part}` })
  return [
    { ...plain('shape'), operator: 'Shape', inputs: [x], outputs: [`${name}/shape`], attributes: {} },
    {
      ...plain('rows'),
      operator: 'Flatten',
      inputs: [x],
      outputs: [`${name}/rows`],
      attributes: { axis: { kind: 'int', value: axis } },
    },
    { ...node, inputs: [`${name}/rows`], outputs: [`${name}/flat`], attributes: last },
    {
      ...plain('result'),
      operator: 'Reshape',
      inputs: [`${name}/flat`, `${name}/shape`],
      outputs: [name],
      attributes: {},
    },
  ]
}

/** The graph in the form that gradient rules are written for. */
export function upgrade(graph: Graph): Graph {
  const version = graph.opsets.get('') ?? RULES_OPSET
  const at = new Rewriter(graph, version)
  const nodes = graph.nodes.flatMap((node) => (node.domain === '' ? rewrite(node, at) : node))
  return {
    ...graph,
    nodes,
    constants: new Map([...graph.constants, ...at.constants]),
    opsets: new Map([...graph.opsets, ['', Math.max(version, RULES_OPSET)]]),
    irVersion: Math.max(graph.irVersion, 8),
  }
}
