/**
 * The constants that a graph adds to its tensors: biases of convolutions and products, sums with weights, shifts of batch
 * normalisations. A factor is none, and a constant of one number (the 3 of a hard swish) belongs to a function, not to a layer.
 */
import { float32, sizeOf } from '../../../tensor/tensor.ts'
import type { LayerBias } from '../../model.ts'
import { floatsOf } from '../graph/constant.ts'
import { DataType, floatAttribute, shapeIn, type Graph, type GraphNode } from '../graph/graph.ts'
import { neededNodes } from '../graph/walks.ts'
import { scaleAndShift } from './batch-normalization.ts'

/** What a node adds: numbers, and their shape, which widens to the node's output of so many axes. */
interface Added {
  readonly values: readonly number[] | Float32Array
  readonly dims: readonly number[]
}
type AddedBy = (graph: Graph, node: GraphNode, rank: number) => Added | null

/** An operand that is a constant of floats, times a factor. */
function operand(graph: Graph, name: string | undefined, factor = 1): Added | null {
  const constant = graph.constants.get(name ?? '')
  if (constant?.type !== DataType.float) return null
  const values = floatsOf(constant)
  return { values: factor === 1 ? values : values.map((one) => one * factor), dims: constant.dims }
}

/** One number a channel, axis 1 of the output. */
function byChannel(values: Added['values'], rank: number): Added {
  return { values, dims: [values.length, ...Array.from({ length: Math.max(0, rank - 2) }, () => 1)] }
}

const thirdOperand: AddedBy = (graph, node, rank) => {
  const bias = operand(graph, node.inputs[2])
  return bias && byChannel(bias.values, rank)
}

/** Of two operands, the constant one. */
const sum: AddedBy = (graph, { inputs }) => operand(graph, inputs[1]) ?? operand(graph, inputs[0])

const ADDED: Readonly<Record<string, AddedBy>> = {
  Conv: thirdOperand,
  ConvTranspose: thirdOperand,
  Gemm: (graph, node) => operand(graph, node.inputs[2], floatAttribute(node, 'beta') ?? 1),
  BatchNormalization(graph, node, rank) {
    const read = scaleAndShift(graph, node)
    return read && byChannel(read().shifts, rank)
  },
  Add: sum,
  Sub: (graph, { inputs }) => operand(graph, inputs[1], -1) ?? operand(graph, inputs[0]),
}

/** @param logits the tensor that scores are read at; what does not lead there is left out */
export function findBiases(graph: Graph, logits: string): readonly LayerBias[] {
  return neededNodes(graph.nodes, new Set([logits]), new Set()).flatMap((node): LayerBias[] => {
    const [tap = ''] = node.outputs
    const rank = shapeIn(graph, tap)?.length
    if (node.domain !== '' || rank === undefined) return []
    const added = ADDED[node.operator]?.(graph, node, rank)
    // As many axes as the output has, or fewer: a sum of one number with a constant map would be the map's own.
    if (added == null || sizeOf(added.dims) < 2 || added.dims.length > rank) return []
    const ones = Array.from({ length: rank - added.dims.length }, () => 1)
    return [{ tap, value: float32(Float32Array.from(added.values), [...ones, ...added.dims]) }]
  })
}
