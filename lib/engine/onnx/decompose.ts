/**
 * Fused operators of optimised exports (com.microsoft) written out in plain ones, so that no gradient rule has to know
 * them. ONNX Runtime fuses the plain ones again when it runs them.
 */
import { floatConstant, intConstant } from './constant.ts'
import {
  floatAttribute,
  intAttribute,
  intsAttribute,
  readsOf,
  shapeIn,
  type Attribute,
  type Constant,
  type Graph,
  type GraphNode,
} from './graph.ts'
import { QUANTISED_OPERATORS } from './quantised-operators.ts'

/** Thrown for a variant that is not written out: the node then stays as it is. */
class Obstacle extends Error {}

/** Writes plain nodes in the place of one fused node. */
export class Expansion {
  readonly nodes: GraphNode[] = []
  readonly constants = new Map<string, Constant>()
  readonly node: GraphNode
  readonly graph: Graph
  #count = 0

  constructor(graph: Graph, node: GraphNode) {
    this.graph = graph
    this.node = node
  }

  input(index: number): string {
    return this.node.inputs[index] ?? ''
  }
  /** Whether somebody needs an output. */
  isRead(index: number): boolean {
    const name = this.node.outputs[index] ?? ''
    const { nodes, outputs } = this.graph
    return name !== '' && (outputs.some((one) => one.name === name) || nodes.some((one) => readsOf(one).includes(name)))
  }
  /** Adds a node; its output is `output` or a new name. */
  op(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output = this.#name(operator),
  ): string {
    const name = `${this.node.name || this.node.outputs[0]}/${operator}_${this.#count++}`
    this.nodes.push({ name, operator, domain: '', inputs, outputs: [output], attributes })
    return output
  }
  split(x: string, sizes: readonly number[], axis: number): string[] {
    const outputs = sizes.map(() => this.#name('Split'))
    const name = `${this.node.name || this.node.outputs[0]}/Split_${this.#count++}`
    this.nodes.push({
      name,
      operator: 'Split',
      domain: '',
      inputs: [x, this.ints(sizes)],
      outputs,
      attributes: { axis: int(axis) },
    })
    return outputs
  }
  #name(part: string): string {
    return `${this.node.outputs[0] ?? ''}/${part}_${this.#count++}`
  }
  /** Ends the expansion of a variant that is not written out, with the reason. */
  refuse(reason: string): never {
    throw new Obstacle(reason)
  }
  ints(values: readonly number[]): string {
    return this.#constant(intConstant(values))
  }
  float(value: number): string {
    return this.#constant(floatConstant([value], []))
  }
  #constant(value: Constant): string {
    const name = this.#name('constant')
    this.constants.set(name, value)
    return name
  }
}

const int = (value: number): Attribute => ({ kind: 'int', value })
const float = (value: number): Attribute => ({ kind: 'float', value })

export type Decomposition = (at: Expansion) => void

/** Y = activation(Conv(x)) (+ a sum input). */
const fusedConv: Decomposition = (at) => {
  const { node } = at
  const { activation, activation_params, ...attributes } = node.attributes
  const sum = at.input(3)
  const conv = at.op('Conv', node.inputs.slice(0, 3), attributes)
  const value = sum === '' ? conv : at.op('Add', [conv, sum])
  const [a = 0, b = 0] = activation_params?.kind === 'floats' ? activation_params.value : []
  activate(at, value, activation?.kind === 'string' ? activation.value : '', [a, b])
}

/** Y = activation(Gemm(A, B, C)). */
const fusedGemm: Decomposition = (at) => {
  const { activation, activation_alpha, activation_beta, activation_gamma, ...attributes } = at.node.attributes
  const [a = 0, b = 0] = [activation_alpha, activation_beta].map((one) => (one?.kind === 'float' ? one.value : 0))
  const name = activation?.kind === 'string' ? activation.value : ''
  // Of the activations that the runtime fuses only Selu and ScaledTanh have a third parameter.
  if (activation_gamma?.kind === 'float' && activation_gamma.value !== 0 && name !== 'Selu')
    throw new Obstacle(`its activation ${name} has a parameter gamma`)
  const product = at.op('Gemm', at.node.inputs, attributes)
  activate(at, product, name, [a, b], activation_gamma)
}

/** The activation that the runtime has fused into a node, by name, as the node's output. */
function activate(
  at: Expansion,
  value: string,
  name: string,
  [a, b]: readonly [number, number],
  gamma: Attribute = float(0),
): void {
  const output = at.node.outputs[0] ?? ''
  if (name === '') at.op('Identity', [value], {}, output)
  else if (name === 'Clip') at.op('Clip', [value, at.float(a), at.float(b)], {}, output)
  else if (name === 'LeakyRelu' || name === 'Elu' || name === 'ThresholdedRelu')
    at.op(name, [value], { alpha: float(a) }, output)
  else if (name === 'HardSigmoid') at.op(name, [value], { alpha: float(a), beta: float(b) }, output)
  else if (name === 'Selu') at.op(name, [value], { alpha: float(a), gamma }, output)
  else at.op(name, [value], {}, output)
}

/** alpha A' B', the last two axes transposed where the attributes say so. */
const fusedMatMul: Decomposition = (at) => {
  const turned = (index: number, flag: string): string => {
    const name = at.input(index)
    if (!intAttribute(at.node, flag)) return name
    const rank = shapeIn(at.graph, name)?.length
    if (rank === undefined) throw new Obstacle(`the rank of "${name}" is unknown`)
    const perm = Array.from({ length: rank }, (_, axis) => axis)
    return at.op('Transpose', [name], { perm: { kind: 'ints', value: [...perm.slice(0, -2), rank - 1, rank - 2] } })
  }
  if (intAttribute(at.node, 'transBatchA') || intAttribute(at.node, 'transBatchB'))
    throw new Obstacle('transposed batches')
  const alpha = floatAttribute(at.node, 'alpha') ?? 1
  const output = at.node.outputs[0] ?? ''
  const operands = [turned(0, 'transA'), turned(1, 'transB')]
  if (alpha === 1) at.op('MatMul', operands, {}, output)
  else at.op('Mul', [at.op('MatMul', operands), at.float(alpha)], {}, output)
}

/** x Phi(x), by the error function. */
function exactGelu(at: Expansion, x: string, output: string): void {
  const erf = at.op('Erf', [at.op('Mul', [x, at.float(Math.SQRT1_2)])])
  const share = at.op('Mul', [at.op('Add', [erf, at.float(1)]), at.float(0.5)])
  at.op('Mul', [x, share], {}, output)
}
const biasGelu: Decomposition = (at) => {
  exactGelu(at, at.op('Add', [at.input(0), at.input(1)]), at.node.outputs[0] ?? '')
}
/** x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), of x + bias. */
const fastGelu: Decomposition = (at) => {
  const x = at.input(1) === '' ? at.input(0) : at.op('Add', [at.input(0), at.input(1)])
  const cube = at.op('Mul', [at.op('Mul', [x, x]), x])
  const inner = at.op('Add', [x, at.op('Mul', [cube, at.float(0.044715)])])
  const tanh = at.op('Tanh', [at.op('Mul', [inner, at.float(Math.sqrt(2 / Math.PI))])])
  const share = at.op('Mul', [at.op('Add', [tanh, at.float(1)]), at.float(0.5)])
  at.op('Mul', [x, share], {}, at.node.outputs[0] ?? '')
}

/** LayerNormalization(x + skip + bias); a fourth output is the sum itself. */
const skipLayerNormalization: Decomposition = (at) => {
  const { node } = at
  const biased = at.input(4) === '' ? at.input(0) : at.op('Add', [at.input(0), at.input(4)])
  const sum = at.op('Add', [biased, at.input(1)], {}, node.outputs[3] || undefined)
  const scaled = [sum, at.input(2), ...(at.input(3) === '' ? [] : [at.input(3)])]
  at.op(
    'LayerNormalization',
    scaled,
    { axis: int(-1), epsilon: float(floatAttribute(node, 'epsilon') ?? 1e-12) },
    node.outputs[0],
  )
}

/** x / rms(x) times scale over the last axis. */
function overRms(at: Expansion, x: string, scale: string): void {
  const last = at.ints([-1])
  const square = at.op('ReduceMean', [at.op('Mul', [x, x]), last], { keepdims: int(1) })
  const epsilon = at.float(floatAttribute(at.node, 'epsilon') ?? 1e-5)
  const root = at.op('Sqrt', [at.op('Add', [square, epsilon])])
  at.op('Mul', [at.op('Div', [x, root]), scale], {}, at.node.outputs[0] ?? '')
}

/** As ONNX Runtime writes it, in ONNX's own domain. */
const simplifiedLayerNormalization: Decomposition = (at) => {
  const axis = intAttribute(at.node, 'axis') ?? -1
  const rank = shapeIn(at.graph, at.input(0))?.length
  if (axis !== -1 && axis + 1 !== rank) throw new Obstacle(`it normalises from axis ${axis} on`)
  if (at.isRead(1)) throw new Obstacle('its second output is read')
  overRms(at, at.input(0), at.input(1))
}

/** The same of x + skip (+ bias), the sum being the fourth output. */
const skipSimplifiedLayerNormalization: Decomposition = (at) => {
  if (at.isRead(1) || at.isRead(2)) throw new Obstacle('its statistics are read')
  const biased = at.input(3) === '' ? at.input(0) : at.op('Add', [at.input(0), at.input(3)])
  const sum = at.op('Add', [biased, at.input(1)], {}, at.node.outputs[3] || undefined)
  overRms(at, sum, at.input(2))
}

/** LayerNormalization(word + position + segment); a second output counts each row's unmasked tokens. */
const embedLayerNormalization: Decomposition = (at) => {
  const { node } = at
  const ids = at.input(0)
  const axis = { axis: int(0) }
  const words = at.op('Gather', [at.input(2), ids], axis)
  const length = at.op('Shape', [ids], { start: int(1), end: int(2) })
  const positions =
    at.input(8) === ''
      ? at.op('Slice', [at.input(3), at.ints([0]), length, at.ints([0])])
      : at.op('Gather', [at.input(3), at.input(8)], axis)
  const placed = at.op('Add', [words, positions])
  const segments = at.input(1) !== '' && at.input(4) !== ''
  const sum = segments
    ? at.op('Add', [placed, at.op('Gather', [at.input(4), at.input(1)], axis)], {}, node.outputs[2] || undefined)
    : placed
  const epsilon = float(floatAttribute(node, 'epsilon') ?? 1e-12)
  at.op('LayerNormalization', [sum, at.input(5), at.input(6)], { axis: int(-1), epsilon }, node.outputs[0])
  const count = node.outputs[1] ?? ''
  if (count === '') return
  const mask = at.input(7) === '' ? at.op('Expand', [at.ints([1]), at.op('Shape', [ids])]) : at.input(7)
  const total = at.op('ReduceSum', [at.op('Cast', [mask], { to: int(6) }), at.ints([1])], { keepdims: int(0) })
  at.op('Cast', [total], { to: int(6) }, count)
}

/** Multi-head self attention on one packed projection; x [N, T, E], weights [E, 3 H D]. */
const attention: Decomposition = (at) => {
  const { node } = at
  const [x, weights, bias, mask, past, attentionBias] = [0, 1, 2, 3, 4, 5].map((index) => at.input(index)) as [
    string, string, string, string, string, string,
  ] // prettier-ignore
  if (past !== '' || (node.outputs[1] ?? '') !== '')
    throw new Obstacle('with a past: export the model without a cache, use_cache=False')
  const heads = intAttribute(node, 'num_heads') ?? 1
  const packed = shapeIn(at.graph, weights)?.[1]
  const sizes =
    intsAttribute(node, 'qkv_hidden_sizes') ?? (typeof packed === 'number' ? [packed / 3, packed / 3, packed / 3] : [])
  const [querySize = 0, , valueSize = 0] = sizes
  if (querySize === 0) throw new Obstacle('its weights have no fixed size')
  const product = at.op('MatMul', [x, weights])
  const projected = bias === '' ? product : at.op('Add', [product, bias])
  const perm = (value: readonly number[]): Record<string, Attribute> => ({ perm: { kind: 'ints', value } })
  const [query, key, value] = at.split(projected, sizes, -1).map((part, index) => {
    const depth = (sizes[index] ?? 0) / heads
    return at.op(
      'Transpose',
      [at.op('Reshape', [part, at.ints([0, 0, heads, depth])])],
      perm(index === 1 ? [0, 2, 3, 1] : [0, 2, 1, 3]),
    )
  }) as [string, string, string]
  const scale = floatAttribute(node, 'scale') || 1 / Math.sqrt(querySize / heads)
  let scores = at.op('Mul', [at.op('MatMul', [query, key]), at.float(scale)]) // [N, heads, T, T]
  if (mask !== '') scores = at.op('Add', [scores, maskBias(at, mask, x)])
  if (intAttribute(node, 'unidirectional')) scores = at.op('Add', [scores, causalBias(at, x)])
  if (attentionBias !== '') scores = at.op('Add', [scores, attentionBias])
  const weighted = at.op('MatMul', [at.op('Softmax', [scores], { axis: int(-1) }), value])
  at.op(
    'Reshape',
    [at.op('Transpose', [weighted], perm([0, 2, 1, 3])), at.ints([0, 0, valueSize])],
    {},
    node.outputs[0],
  )
}

/** 0 where a key may be seen, the node's filter value where not: [N, 1, 1, T] or [N, 1, T, T]. */
function maskBias(at: Expansion, mask: string, x: string): string {
  const rank = shapeIn(at.graph, mask)?.length
  let open = mask
  if (rank === 1) {
    // Lengths: a key is open while its place is below its row's length.
    const length = at.op('Squeeze', [at.op('Shape', [x], { start: int(1), end: int(2) }), at.ints([0])])
    const zero = at.op('Squeeze', [at.ints([0]), at.ints([0])])
    const step = at.op('Squeeze', [at.ints([1]), at.ints([0])])
    const places = at.op('Cast', [at.op('Range', [zero, length, step])], { to: int(6) })
    open = at.op('Less', [places, at.op('Unsqueeze', [at.op('Cast', [mask], { to: int(6) }), at.ints([1])])])
  }
  const closed = at.op('Sub', [at.float(1), at.op('Cast', [open], { to: int(1) })])
  const bias = at.op('Mul', [closed, at.float(floatAttribute(at.node, 'mask_filter_value') ?? -10000)])
  if (rank === 4) return bias
  return at.op('Unsqueeze', [bias, at.ints(rank === 3 ? [1] : [1, 2])])
}

/** The filter value above the diagonal: [T, T]. */
function causalBias(at: Expansion, x: string): string {
  const length = at.op('Shape', [x], { start: int(1), end: int(2) })
  const filter = at.float(floatAttribute(at.node, 'mask_filter_value') ?? -10000)
  const square = at.op('Expand', [filter, at.op('Concat', [length, length], { axis: int(0) })])
  const first = at.op('Squeeze', [at.ints([1]), at.ints([0])])
  return at.op('Trilu', [square, first], { upper: int(1) })
}

/** Fused operators by `domain:name`. */
export const DECOMPOSITIONS: Readonly<Record<string, Decomposition>> = Object.freeze({
  'com.microsoft:Attention': attention,
  'com.microsoft:BiasGelu': biasGelu,
  'com.microsoft:EmbedLayerNormalization': embedLayerNormalization,
  'com.microsoft:FastGelu': fastGelu,
  'com.microsoft:FusedConv': fusedConv,
  'com.microsoft:FusedGemm': fusedGemm,
  'com.microsoft:FusedMatMul': fusedMatMul,
  'com.microsoft:SkipLayerNormalization': skipLayerNormalization,
  'com.microsoft:SkipSimplifiedLayerNormalization': skipSimplifiedLayerNormalization,
  SimplifiedLayerNormalization: simplifiedLayerNormalization,
})

/** The graph without fused operators; variants that cannot be written out stay, and say why. */
export function decompose(graph: Graph): Graph {
  const constants = new Map(graph.constants)
  let changed = false
  const nodes = graph.nodes.flatMap((node): readonly GraphNode[] => {
    const key = node.domain === '' ? node.operator : `${node.domain}:${node.operator}`
    const decomposition = DECOMPOSITIONS[key] ?? QUANTISED_OPERATORS[key]
    if (decomposition === undefined) return [node]
    const at = new Expansion(graph, node)
    try {
      decomposition(at)
    } catch (thrown) {
      if (!(thrown instanceof Obstacle)) throw thrown
      changed = true
      return [{ ...node, obstacle: thrown.message }]
    }
    for (const [name, value] of at.constants) constants.set(name, value)
    changed = true
    return at.nodes
  })
  return changed ? { ...graph, nodes, constants } : graph
}
