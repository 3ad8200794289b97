/**
 * Operators that are functions of simpler ones, written out in those. A question whose rule set bends a part of a function,
 * and says nothing of the function itself, is asked of the graph in this form (write-out.ts); no other is.
 */
import { placeOf } from '../graph/builder.ts'
import { floatAttribute, intAttribute, shapeIn, textAttribute } from '../graph/graph.ts'
import { exactGelu, tanhGelu } from './decompose.ts'
import type { Decomposition, Expansion } from './expansion.ts'
import { attentionFunction, openAttention } from './functions-attention.ts'

const outputOf = (at: Expansion): string => at.node.outputs[0] ?? ''

function rankOf(at: Expansion): number {
  return shapeIn(at.graph, at.input(0))?.length ?? at.refuse(`the rank of "${at.input(0)}" is unknown`)
}

const gelu: Decomposition = (at) => {
  const write = textAttribute(at.node, 'approximate') === 'tanh' ? tanhGelu : exactGelu
  write(at, at.input(0), outputOf(at))
}

/** x σ(αx); α is 1.702 where QuickGelu states none. */
const swish: Decomposition = (at) => {
  const alpha = floatAttribute(at.node, 'alpha') ?? (at.node.operator === 'QuickGelu' ? 1.702 : 1)
  const x = at.input(0)
  const argument = alpha === 1 ? x : at.op('Mul', [x, at.float(alpha)])
  at.op('Mul', [x, at.op('Sigmoid', [argument])], {}, outputOf(at))
}

/** clip(αx + β, 0, 1) */
const hardSigmoid: Decomposition = (at) => {
  const [slope, offset] = [floatAttribute(at.node, 'alpha') ?? 0.2, floatAttribute(at.node, 'beta') ?? 0.5]
  const line = at.op('Add', [at.op('Mul', [at.input(0), at.float(slope)]), at.float(offset)])
  at.op('Clip', [line, at.float(0), at.float(1)], {}, outputOf(at))
}
const hardSwish: Decomposition = (at) => {
  const gate = at.op('HardSigmoid', [at.input(0)], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } })
  at.op('Mul', [at.input(0), gate], {}, outputOf(at))
}
const mish: Decomposition = (at) => {
  at.op('Mul', [at.input(0), at.op('Tanh', [at.op('Softplus', [at.input(0)])])], {}, outputOf(at))
}

const KEPT = { keepdims: 1 }

/** (x - mean) / sqrt(var + ε) over `axes`; the statistics under the names of further outputs, where they are asked for. */
function standardised(
  at: Expansion,
  x: string,
  axes: string,
  epsilon: number,
  [mean, inverse]: readonly string[] = [],
): string {
  const centred = at.op('Sub', [x, at.op('ReduceMean', [x, axes], KEPT, mean || undefined)])
  const variance = at.op('ReduceMean', [at.op('Mul', [centred, centred]), axes], KEPT)
  const deviation = at.op('Sqrt', [at.op('Add', [variance, at.float(epsilon)])])
  if (inverse) at.op('Reciprocal', [deviation], {}, inverse)
  return at.op('Div', [centred, deviation])
}

function scaled(at: Expansion, x: string, scale: string, bias: string): void {
  if (bias === '') at.op('Mul', [x, scale], {}, outputOf(at))
  else at.op('Add', [at.op('Mul', [x, scale]), bias], {}, outputOf(at))
}

const epsilonOf = (at: Expansion): number => floatAttribute(at.node, 'epsilon') ?? 1e-5

/** The axes from the node's `axis` on, its last one where it states none. */
function trailing(at: Expansion): string {
  const rank = rankOf(at)
  const first = placeOf(intAttribute(at.node, 'axis') ?? -1, rank)
  return at.ints(Array.from({ length: rank - first }, (_, index) => first + index))
}

const layerNormalization: Decomposition = (at) => {
  const normal = standardised(at, at.input(0), trailing(at), epsilonOf(at), at.node.outputs.slice(1))
  scaled(at, normal, at.input(1), at.input(2))
}

const rmsNormalization: Decomposition = (at) => {
  const x = at.input(0)
  const square = at.op('ReduceMean', [at.op('Mul', [x, x]), trailing(at)], KEPT)
  const root = at.op('Sqrt', [at.op('Add', [square, at.float(epsilonOf(at))])])
  scaled(at, at.op('Div', [x, root]), at.input(1), '')
}

/** One number a channel, in a shape that broadcasts against [N, C, ...]. */
function perChannel(at: Expansion, name: string): string {
  return at.op('Reshape', [name, at.ints([1, -1, ...Array.from({ length: rankOf(at) - 2 }, () => 1)])])
}

const instanceNormalization: Decomposition = (at) => {
  const spatial = Array.from({ length: rankOf(at) - 2 }, (_, index) => index + 2)
  const normal = standardised(at, at.input(0), at.ints(spatial), epsilonOf(at))
  scaled(at, normal, perChannel(at, at.input(1)), perChannel(at, at.input(2)))
}

const groupNormalization: Decomposition = (at) => {
  const groups = intAttribute(at.node, 'num_groups') ?? 1
  const [channels, scales] = [shapeIn(at.graph, at.input(0))?.[1], shapeIn(at.graph, at.input(1))?.[0]]
  if (typeof scales !== 'number' || scales !== channels) at.refuse('its scale is not one number a channel')
  const grouped = at.op('Reshape', [at.input(0), at.ints([0, groups, -1])])
  const normal = standardised(at, grouped, at.ints([2]), epsilonOf(at))
  const back = at.op('Reshape', [normal, at.op('Shape', [at.input(0)])])
  scaled(at, back, perChannel(at, at.input(1)), perChannel(at, at.input(2)))
}

/** A function, and the operators that it is made of; null where it is not written out. */
export interface OperatorFunction {
  readonly parts: readonly string[]
  readonly write: Decomposition | null
  /** Written out with its attention weights under a name (`weightsOf` its output), for an operator that has some inside. */
  readonly open?: Decomposition
}

const made = (parts: string, write: Decomposition | null): OperatorFunction => ({ parts: parts.split(' '), write })
const NORMALISATION = 'ReduceMean Sub Mul Add Sqrt Div'
const GELU = 'Mul Erf Tanh Add'

export const FUNCTIONS: Readonly<Record<string, OperatorFunction>> = Object.freeze({
  Attention: { ...made('MatMul Mul Add Softmax Where Transpose Reshape', attentionFunction), open: openAttention },
  ConvInteger: made('Conv', null),
  Gelu: made(GELU, gelu),
  GroupNormalization: made(`Reshape ${NORMALISATION}`, groupNormalization),
  HardSigmoid: made('Mul Add Clip', hardSigmoid),
  HardSwish: made('Mul HardSigmoid', hardSwish),
  InstanceNormalization: made(`Reshape ${NORMALISATION}`, instanceNormalization),
  LayerNormalization: made(NORMALISATION, layerNormalization),
  LogSoftmax: made('Softmax Log', null),
  MatMulInteger: made('MatMul', null),
  MeanVarianceNormalization: made(NORMALISATION, null),
  Mish: made('Softplus Tanh Mul', mish),
  RMSNormalization: made('ReduceMean Mul Add Sqrt Div', rmsNormalization),
  Swish: made('Mul Sigmoid', swish),
  'com.microsoft:Gelu': made(GELU, gelu),
  'com.microsoft:QuickGelu': made('Mul Sigmoid', swish),
})
