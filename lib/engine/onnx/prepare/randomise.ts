/**
 * Random weights for the layers nearest to the output, for tests of whether an explanation depends on the model (Adebayo et al.
 * 2018, 1810.03292, cascading randomisation). A layer is a node with a kernel, a matrix or a table of embeddings of its own.
 * Every number of it becomes a draw from a normal distribution with the mean and deviation that its numbers have; biases and
 * normalisations stay. Names, shapes and operators stay, so taps do.
 */
import type { RandomWeights } from '../../model.ts'
import { floatConstant, floatsOf } from '../graph/constant.ts'
import { operatorOf } from '../operators/operator-of.ts'
import { DataType, badModel, type Constant, type Graph, type GraphNode } from '../graph/graph.ts'

/** Name of a node's weights; undefined where it has none. */
function weightsOf(node: GraphNode, graph: Graph): string | undefined {
  const inputs = operatorOf(node).weights?.map((at) => node.inputs[at] ?? '')
  return inputs?.find((name) => {
    const constant = graph.constants.get(name)
    return constant?.type === DataType.float && constant.dims.filter((extent) => extent > 1).length >= 2
  })
}

function drawn(constant: Constant, normal: () => number): Constant {
  const values = floatsOf(constant)
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  const deviation = Math.sqrt(variance)
  return floatConstant(
    values.map(() => mean + deviation * normal()),
    constant.dims,
  )
}

/**
 * @param graph prepared
 * @throws AppError BAD_MODEL for a graph without any weights that are float32 (a quantised one)
 */
export function withRandomWeights(graph: Graph, { share, normal }: RandomWeights): Graph {
  const layers = graph.nodes.flatMap((node, at) => (weightsOf(node, graph) === undefined ? [] : [at]))
  if (layers.length === 0) throw badModel('It has no float weights that could be drawn at random.')
  const kept = layers.length - Math.ceil(share * layers.length)
  const constants = new Map(graph.constants)
  const nodes = graph.nodes.map((node, at) => {
    const layer = layers.indexOf(at)
    const name = layer >= kept ? weightsOf(node, graph) : undefined
    const weights = name === undefined ? undefined : graph.constants.get(name)
    if (name === undefined || weights === undefined) return node
    // Under a name of its own: another layer, nearer to the input, may have the same weights and keeps them.
    const own = `${name}, drawn for layer ${layer}`
    constants.set(own, drawn(weights, normal(layer)))
    return { ...node, inputs: node.inputs.map((input) => (input === name ? own : input)) }
  })
  return { ...graph, nodes, constants }
}
