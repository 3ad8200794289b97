/**
 * What operators add to their tensors whatever they read: biases of convolutions and products, sums with weights, shifts of batch
 * normalisations. A factor is none.
 */
import { floatsOf } from '../graph/constant.ts'
import { DataType, floatAttribute, type Graph, type GraphNode } from '../graph/graph.ts'
import { scaleAndShift } from './batch-normalization.ts'

/** Numbers, and their shape, which widens to the node's output. */
interface Added {
  readonly values: readonly number[] | Float32Array
  readonly dims: readonly number[]
}

/** @param rank axes of the node's output. @returns null where it adds nothing that is known before the run */
export type AddedBy = (graph: Graph, node: GraphNode, rank: number) => Added | null

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

export const convolution: AddedBy = (graph, node, rank) => {
  const bias = operand(graph, node.inputs[2])
  return bias && byChannel(bias.values, rank)
}

export const gemm: AddedBy = (graph, node) => operand(graph, node.inputs[2], floatAttribute(node, 'beta') ?? 1)

export const batchNormalization: AddedBy = (graph, node, rank) => {
  const read = scaleAndShift(graph, node)
  return read && byChannel(read().shifts, rank)
}

/** Of two operands, the constant one. */
export const sum: AddedBy = (graph, { inputs }) => operand(graph, inputs[1]) ?? operand(graph, inputs[0])

export const difference: AddedBy = (graph, { inputs }) => operand(graph, inputs[1], -1) ?? operand(graph, inputs[0])
