/**
 * Fused operators of optimised exports (com.microsoft) written out in plain ones, so that no gradient rule has to know
 * them. ONNX Runtime fuses the plain ones again when it runs them.
 */
import { attention, multiHeadAttention, rotaryEmbedding } from './decompose-attention.ts'
import { DYNAMIC_OPERATORS } from './dynamic-operators.ts'
import { Expansion, NotWrittenOut, type Decomposition } from './expansion.ts'
import { floatAttribute, intAttribute, operatorKey, shapeIn, type Graph, type GraphNode } from '../graph/graph.ts'
import type { AttributeInput } from '../graph/node-writer.ts'
import { QUANTISED_OPERATORS } from './quantised-operators.ts'

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
    return at.refuse(`its activation ${name} has a parameter gamma`)
  const product = at.op('Gemm', at.node.inputs, attributes)
  activate(at, product, name, [a, b], activation_gamma)
}

/** The activation that the runtime has fused into a node, by name, as the node's output. */
function activate(
  at: Expansion,
  value: string,
  name: string,
  [a, b]: readonly [number, number],
  gamma: AttributeInput = { float: 0 },
): void {
  const output = at.node.outputs[0] ?? ''
  if (name === '') at.op('Identity', [value], {}, output)
  else if (name === 'Clip') at.op('Clip', [value, at.float(a), at.float(b)], {}, output)
  else if (name === 'LeakyRelu' || name === 'Elu' || name === 'ThresholdedRelu')
    at.op(name, [value], { alpha: { float: a } }, output)
  else if (name === 'HardSigmoid') at.op(name, [value], { alpha: { float: a }, beta: { float: b } }, output)
  else if (name === 'Selu') at.op(name, [value], { alpha: { float: a }, gamma }, output)
  else at.op(name, [value], {}, output)
}

/** alpha A' B', the last two axes transposed where the attributes say so. */
const fusedMatMul: Decomposition = (at) => {
  const turned = (index: number, flag: string): string => {
    const name = at.input(index)
    if (!intAttribute(at.node, flag)) return name
    const rank = shapeIn(at.graph, name)?.length
    if (rank === undefined) return at.refuse(`the rank of "${name}" is unknown`)
    const perm = Array.from({ length: rank }, (_, axis) => axis)
    return at.op('Transpose', [name], { perm: [...perm.slice(0, -2), rank - 1, rank - 2] })
  }
  if (intAttribute(at.node, 'transBatchA') || intAttribute(at.node, 'transBatchB'))
    return at.refuse('transposed batches')
  const alpha = floatAttribute(at.node, 'alpha') ?? 1
  const output = at.node.outputs[0] ?? ''
  const operands = [turned(0, 'transA'), turned(1, 'transB')]
  if (alpha === 1) at.op('MatMul', operands, {}, output)
  else at.op('Mul', [at.op('MatMul', operands), at.float(alpha)], {}, output)
}

/** x Phi(x), by the error function. */
export function exactGelu(at: Expansion, x: string, output: string): void {
  const erf = at.op('Erf', [at.op('Mul', [x, at.float(Math.SQRT1_2)])])
  const share = at.op('Mul', [at.op('Add', [erf, at.float(1)]), at.float(0.5)])
  at.op('Mul', [x, share], {}, output)
}
const biasGelu: Decomposition = (at) => {
  exactGelu(at, at.op('Add', [at.input(0), at.input(1)]), at.node.outputs[0] ?? '')
}
/** x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
export function tanhGelu(at: Expansion, x: string, output: string): void {
  const cube = at.op('Mul', [at.op('Mul', [x, x]), x])
  const inner = at.op('Add', [x, at.op('Mul', [cube, at.float(0.044715)])])
  const tanh = at.op('Tanh', [at.op('Mul', [inner, at.float(Math.sqrt(2 / Math.PI))])])
  const share = at.op('Mul', [at.op('Add', [tanh, at.float(1)]), at.float(0.5)])
  at.op('Mul', [x, share], {}, output)
}
const fastGelu: Decomposition = (at) => {
  const x = at.input(1) === '' ? at.input(0) : at.op('Add', [at.input(0), at.input(1)])
  tanhGelu(at, x, at.node.outputs[0] ?? '')
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
    { axis: -1, epsilon: { float: floatAttribute(node, 'epsilon') ?? 1e-12 } },
    node.outputs[0],
  )
}

/** x / rms(x) times scale over the last axis; `smallest` is the epsilon where the node states none. */
function overRms(at: Expansion, x: string, scale: string, smallest: number): void {
  const last = at.ints([-1])
  const square = at.op('ReduceMean', [at.op('Mul', [x, x]), last], { keepdims: 1 })
  const epsilon = at.float(floatAttribute(at.node, 'epsilon') ?? smallest)
  const root = at.op('Sqrt', [at.op('Add', [square, epsilon])])
  at.op('Mul', [at.op('Div', [x, root]), scale], {}, at.node.outputs[0] ?? '')
}

/** As ONNX Runtime writes it, in ONNX's own domain. */
const simplifiedLayerNormalization: Decomposition = (at) => {
  const axis = intAttribute(at.node, 'axis') ?? -1
  const rank = shapeIn(at.graph, at.input(0))?.length
  if (axis !== -1 && axis + 1 !== rank) return at.refuse(`it normalises from axis ${axis} on`)
  if (at.isRead(1)) return at.refuse('its second output is read')
  overRms(at, at.input(0), at.input(1), 1e-5)
}

/** The same of x + skip (+ bias), the sum being the fourth output. */
const skipSimplifiedLayerNormalization: Decomposition = (at) => {
  if (at.isRead(1) || at.isRead(2)) return at.refuse('its statistics are read')
  const biased = at.input(3) === '' ? at.input(0) : at.op('Add', [at.input(0), at.input(3)])
  const sum = at.op('Add', [biased, at.input(1)], {}, at.node.outputs[3] || undefined)
  overRms(at, sum, at.input(2), 1e-12)
}

/** LayerNormalization(word + position + segment); a second output counts each row's unmasked tokens. */
const embedLayerNormalization: Decomposition = (at) => {
  const { node } = at
  const ids = at.input(0)
  const axis = { axis: 0 }
  const words = at.op('Gather', [at.input(2), ids], axis)
  const length = at.op('Shape', [ids], { start: 1, end: 2 })
  const positions =
    at.input(8) === ''
      ? at.op('Slice', [at.input(3), at.ints([0]), length, at.ints([0])])
      : at.op('Gather', [at.input(3), at.input(8)], axis)
  const placed = at.op('Add', [words, positions])
  const segments = at.input(1) !== '' && at.input(4) !== ''
  const sum = segments
    ? at.op('Add', [placed, at.op('Gather', [at.input(4), at.input(1)], axis)], {}, node.outputs[2] || undefined)
    : placed
  const epsilon = { float: floatAttribute(node, 'epsilon') ?? 1e-12 }
  at.op('LayerNormalization', [sum, at.input(5), at.input(6)], { axis: -1, epsilon }, node.outputs[0])
  const count = node.outputs[1] ?? ''
  if (count === '') return
  const mask = at.input(7) === '' ? at.op('Expand', [at.ints([1]), at.op('Shape', [ids])]) : at.input(7)
  const total = at.op('ReduceSum', [at.op('Cast', [mask], { to: 6 }), at.ints([1])], { keepdims: 0 })
  at.op('Cast', [total], { to: 6 }, count)
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
  'com.microsoft:MultiHeadAttention': multiHeadAttention,
  'com.microsoft:RotaryEmbedding': rotaryEmbedding,
  'com.microsoft:SkipLayerNormalization': skipLayerNormalization,
  'com.microsoft:SkipSimplifiedLayerNormalization': skipSimplifiedLayerNormalization,
  SimplifiedLayerNormalization: simplifiedLayerNormalization,
})

/** The layout that ONNX Runtime chooses for one machine's processor; it writes it at its highest level only. */
const BLOCKED = 'com.microsoft.nchwc'

/** The graph without fused operators; variants that cannot be written out stay, and say why. */
export function decompose(graph: Graph): Graph {
  const constants = new Map(graph.constants)
  const parts = graph.nodes.map((node): readonly GraphNode[] | null => {
    if (node.domain === BLOCKED && node.obstacle === undefined)
      return [{ ...node, obstacle: 'save the optimised model below ORT_ENABLE_ALL' }]
    const key = operatorKey(node)
    const decomposition = DECOMPOSITIONS[key] ?? QUANTISED_OPERATORS[key] ?? DYNAMIC_OPERATORS[key]
    if (decomposition === undefined) return null
    const at = new Expansion(graph, node)
    try {
      decomposition(at)
    } catch (thrown) {
      if (!(thrown instanceof NotWrittenOut)) throw thrown
      return [{ ...node, obstacle: thrown.message }]
    }
    for (const [name, value] of at.constants) constants.set(name, value)
    return at.nodes
  })
  if (parts.every((part) => part === null)) return graph
  return { ...graph, nodes: graph.nodes.flatMap((node, index) => parts[index] ?? [node]), constants }
}
