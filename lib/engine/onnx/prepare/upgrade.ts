/**
 * One form for every operator: graphs of older operator sets are rewritten to set 18 (attributes that became inputs,
 * operators that were renamed), so that gradient rules know one form only.
 */
import { floatConstant, floatsOf } from '../graph/constant.ts'
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
  type Graph,
  type GraphNode,
} from '../graph/graph.ts'
import { OPERATORS } from '../operators/table.ts'
import { NodeWriter } from '../graph/node-writer.ts'
import type { AttributeProto, GraphProto } from '../file/proto/onnx_pb.ts'

/** The operator set that rules are written for; newer models keep theirs, whose forms are the same. */
const RULES_OPSET = 18

/** Writes the present form of a node in its place. What stands beside it is named by what it makes: old exporters leave nodes without names. */
class Rewriter extends NodeWriter {
  readonly graph: Graph
  readonly version: number
  #read: ReadonlySet<string> | undefined

  constructor(graph: Graph, version: number) {
    super({
      tensors: () => [`limelight:upgrade/${this.constants.size}`],
      node: (_operator, output) => `limelight:upgrade/${output}`,
    })
    this.graph = graph
    this.version = version
  }

  /** Whether a node or an output of the graph needs this tensor. */
  isRead(name: string): boolean {
    this.#read ??= new Set([...this.graph.nodes.flatMap(readsOf), ...this.graph.outputs.map((one) => one.name)])
    return this.#read.has(name)
  }
}

function without(node: GraphNode, ...names: string[]): Record<string, Attribute> {
  return Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !names.includes(name)))
}

type Rewrite = (node: GraphNode, at: Rewriter) => void

/** An attribute of integers that became the second input in operator set `since`. */
function inputSince(since: number, name: string): Rewrite {
  return (node, at) => {
    const values = at.version < since && node.inputs.length < 2 ? intsAttribute(node, name) : undefined
    if (values === undefined) at.put(node)
    else at.put({ ...node, inputs: [...node.inputs, at.ints(values)], attributes: without(node, name) })
  }
}

const split: Rewrite = (node, at) => {
  const [x = ''] = node.inputs
  const sizes = intsAttribute(node, 'split')
  if (at.version >= 18 || (at.version >= 13 && node.inputs.length > 1)) at.put(node)
  else if (sizes) at.put({ ...node, inputs: [x, at.ints(sizes)], attributes: without(node, 'split') })
  else at.put({ ...node, attributes: { ...node.attributes, num_outputs: { kind: 'int', value: node.outputs.length } } })
}

const clip: Rewrite = (node, at) => {
  if (at.version >= 11) return at.put(node)
  const bounds = [floatAttribute(node, 'min'), floatAttribute(node, 'max')]
  const inputs = bounds.map((bound) => (bound === undefined ? '' : at.float(bound)))
  at.put({ ...node, inputs: [node.inputs[0] ?? '', ...inputs], attributes: {} })
}

const slice: Rewrite = (node, at) => {
  if (at.version >= 10) return at.put(node)
  const lists = ['starts', 'ends', 'axes'].map((name) => intsAttribute(node, name))
  const inputs = lists.flatMap((list) => (list ? [at.ints(list)] : []))
  at.put({ ...node, inputs: [node.inputs[0] ?? '', ...inputs], attributes: {} })
}

const pad: Rewrite = (node, at) => {
  if (at.version >= 11) return at.put(node)
  const pads = intsAttribute(node, 'pads') ?? intsAttribute(node, 'paddings') ?? []
  const inputs = [node.inputs[0] ?? '', at.ints(pads), at.float(floatAttribute(node, 'value') ?? 0)]
  at.put({ ...node, inputs, attributes: without(node, 'pads', 'paddings', 'value') })
}

const topK: Rewrite = (node, at) => {
  if (at.version >= 10) return at.put(node)
  const inputs = [node.inputs[0] ?? '', at.ints([intAttribute(node, 'k') ?? 1])]
  at.put({ ...node, inputs, attributes: without(node, 'k') })
}

const roiAlign: Rewrite = (node, at) => {
  if (at.version >= 16) return at.put(node)
  const half = { kind: 'string', value: 'output_half_pixel' } as const
  at.put({ ...node, attributes: { ...node.attributes, coordinate_transformation_mode: half } })
}

/** At inference it passes its input on; the mask, where somebody reads it, is all ones: floats before set 10, then booleans. */
const dropout: Rewrite = (node, at) => {
  const [x = ''] = node.inputs
  const [y = '', mask = ''] = node.outputs
  at.put({ ...node, operator: 'Identity', inputs: [x], outputs: [y], attributes: {} })
  if (mask === '' || !at.isRead(mask)) return
  const ones = at.version < 10 ? floatConstant([1], [1]) : { type: DataType.bool, dims: [1], bytes: Uint8Array.of(1) }
  const shape = at.op('Shape', [x], {}, `${mask}/shape`)
  at.op('ConstantOfShape', [shape], { value: { kind: 'tensor', value: ones } }, mask)
}

/** @throws AppError BAD_MODEL in training form, where a row's output depends on the rows beside it. */
const batchNormalization: Rewrite = (node, at) => {
  const training =
    at.version < 14 ? node.outputs.slice(1).some((name) => name !== '') : intAttribute(node, 'training_mode')
  if (training)
    throw badModel(
      `${describeNode(node)} is in its training form: it normalises by the batch it is given. Export the model for inference, with model.eval().`,
    )
  if (at.version >= 14) return at.put(node)
  if (at.version < 9 && intAttribute(node, 'spatial') === 0) return normalizationAtEachPlace(node, at)
  at.put({ ...node, outputs: node.outputs.slice(0, 1), attributes: without(node, 'spatial', 'momentum') })
}

/** `spatial` 0, before set 9: statistics of each place, [C, H, W], and not of each channel. */
function normalizationAtEachPlace(node: GraphNode, at: Rewriter): void {
  const [x = '', scale = '', bias = '', mean = '', variance = ''] = node.inputs
  const y = node.outputs[0] ?? ''
  const epsilon = at.float(floatAttribute(node, 'epsilon') ?? 1e-5)
  const raised = at.op('Add', [variance, epsilon], {}, `${y}/variance`)
  const deviation = at.op('Sqrt', [raised], {}, `${y}/deviation`)
  const centred = at.op('Sub', [x, mean], {}, `${y}/centred`)
  const standardised = at.op('Div', [centred, deviation], {}, `${y}/standardised`)
  const scaled = at.op('Mul', [standardised, scale], {}, `${y}/scaled`)
  at.put({ ...node, operator: 'Add', inputs: [scaled, bias], outputs: [y], attributes: {} })
}

/** Nearest values are those at the place rounded down where an axis grows and rounded up where it shrinks. */
const resize: Rewrite = (node, at) => {
  if (at.version >= 11) return at.put(node)
  const [x = '', given = ''] = node.inputs
  const attribute = node.attributes['scales']
  const scales =
    attribute?.kind === 'floats' ? at.constant(floatConstant(attribute.value, [attribute.value.length])) : given
  const mode = textAttribute(node, 'mode') ?? 'nearest'
  const attributes = (rounding: 'floor' | 'ceil'): GraphNode['attributes'] => ({
    mode: { kind: 'string', value: mode === 'bilinear' ? 'linear' : mode },
    coordinate_transformation_mode: { kind: 'string', value: 'asymmetric' },
    nearest_mode: { kind: 'string', value: rounding },
  })
  const inPlace = (from: string, by: string, rounding: 'floor' | 'ceil'): void =>
    at.put({
      name: node.name,
      operator: 'Resize',
      domain: '',
      inputs: [from, '', by],
      outputs: [node.outputs[0] ?? ''],
      attributes: attributes(rounding),
    })
  const known = at.constants.get(scales) ?? at.graph.constants.get(scales)
  const factors = known && [...floatsOf(known)]
  if (mode !== 'nearest' || node.operator === 'Upsample' || factors?.every((one) => one >= 1))
    return inPlace(x, scales, 'floor')
  if (factors?.every((one) => one <= 1)) return inPlace(x, scales, 'ceil')
  const name = (part: string): string => `${node.outputs[0]}/${part}`
  const up = at.op('Max', [scales, at.float(1)], {}, name('up'))
  const down = at.op('Min', [scales, at.float(1)], {}, name('down'))
  const grown = at.op('Resize', [x, '', up], attributes('floor'), name('grown'))
  inPlace(grown, down, 'ceil')
}

/** Before set 13, softmax ran over everything from `axis` (default 1) on, as if flattened. */
const softmax: Rewrite = (node, at) => {
  if (at.version >= 13) return at.put(node)
  const axis = intAttribute(node, 'axis') ?? 1
  const [x = ''] = node.inputs
  const rank = shapeIn(at.graph, x)?.length
  const attributes = { axis: { kind: 'int', value: -1 } } as const
  if (axis === -1 || (rank !== undefined && placeOf(axis, rank) === rank - 1)) return at.put({ ...node, attributes })
  const y = node.outputs[0] ?? ''
  const shape = at.op('Shape', [x], {}, `${y}/shape`)
  const rows = at.op('Flatten', [x], { axis }, `${y}/rows`)
  at.put({ ...node, inputs: [rows], outputs: [`${y}/flat`], attributes })
  at.op('Reshape', [`${y}/flat`, shape], {}, y)
}

const axesInput = inputSince(18, 'axes')

/** How the older forms of an operator are written in the present one, which came with the set that its row says (`since`). */
export const REWRITES: Readonly<Record<string, Rewrite>> = Object.freeze({
  BatchNormalization: batchNormalization,
  Clip: clip,
  Dropout: dropout,
  Hardmax: softmax,
  LogSoftmax: softmax,
  Pad: pad,
  ReduceL1: axesInput,
  ReduceL2: axesInput,
  ReduceLogSum: axesInput,
  ReduceLogSumExp: axesInput,
  ReduceMax: axesInput,
  ReduceMean: axesInput,
  ReduceMin: axesInput,
  ReduceProd: axesInput,
  ReduceSum: axesInput,
  ReduceSumSquare: axesInput,
  Resize: resize,
  RoiAlign: roiAlign,
  Scatter: (node, at) => at.put({ ...node, operator: 'ScatterElements' }),
  Slice: slice,
  Softmax: softmax,
  Split: split,
  Squeeze: inputSince(13, 'axes'),
  TopK: topK,
  Unsqueeze: inputSince(13, 'axes'),
  Upsample: resize,
})

/** @throws AppError BAD_MODEL where a branch holds an older form: branches are passed through as they came. */
function refuseOlderBranches(node: GraphNode, version: number): void {
  const inner = (graph: GraphProto): readonly string[] =>
    graph.node.flatMap((one) => [one.opType, ...one.attribute.flatMap(within)])
  const within = ({ g, graphs }: AttributeProto): readonly string[] => (g ? [g, ...graphs] : graphs).flatMap(inner)
  for (const attribute of Object.values(node.attributes)) {
    if (attribute.kind !== 'raw') continue
    const older = within(attribute.value as AttributeProto).find((name) => version < (OPERATORS[name]?.since ?? 0))
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
  for (const node of graph.nodes) {
    const rewrite = node.domain === '' ? REWRITES[node.operator] : undefined
    if (rewrite === undefined) at.put(node)
    else rewrite(node, at)
  }
  return {
    ...graph,
    nodes: at.nodes,
    constants: new Map([...graph.constants, ...at.constants]),
    opsets: new Map([...graph.opsets, ['', Math.max(version, RULES_OPSET)]]),
    irVersion: Math.max(graph.irVersion, 8),
  }
}
