/** How many products of numbers a matrix product or a convolution sums. Extents that are unknown before the run count as 1. */
import { elementsOf, extentOf, intAttribute, shapeIn, type Graph, type GraphNode, type Shape } from '../graph/graph.ts'

type Products = (graph: Graph, node: GraphNode) => number

function inputShape(graph: Graph, node: GraphNode, place: number): Shape | null {
  return shapeIn(graph, node.inputs[place] ?? '')
}
function outputElements(graph: Graph, node: GraphNode): number {
  return elementsOf(shapeIn(graph, node.outputs[0] ?? ''))
}

export const matMulProducts: Products = (graph, node) =>
  outputElements(graph, node) * extentOf(inputShape(graph, node, 0), -1)

export const gemmProducts: Products = (graph, node) =>
  outputElements(graph, node) * extentOf(inputShape(graph, node, 0), intAttribute(node, 'transA') ? 0 : -1)

/** Each value of the output takes one kernel, the input at `place` [M, C / group, ...]. */
export const convProducts =
  (place = 1): Products =>
  (graph, node) =>
    outputElements(graph, node) * elementsOf(inputShape(graph, node, place)?.slice(1) ?? null)

/** Each value of the input. */
export const convTransposeProducts: Products = (graph, node) =>
  elementsOf(inputShape(graph, node, 0)) * elementsOf(inputShape(graph, node, 1)?.slice(1) ?? null)
