/**
 * Another order of the same nodes, for graphs of many thousands. ONNX Runtime keeps the nodes that could run in a sorted
 * list, and looks through it for every node, some fifty times over while it optimises. Gradient graphs make that list as long
 * as the graph: the mask of every activation can be computed as soon as the activation is, and is written far behind.
 */
import { readsOf, type Graph, type GraphNode } from '../graph/graph.ts'
import { consumersOf } from '../graph/walks.ts'

/** Up to here the time saved is below a second, and the order that exporters chose stays. */
const MANY = 5000

/** Every node as soon as it can run, later ones first: few are left waiting. Graphs that are not large stay as they are. */
export function inEagerOrder(graph: Graph): Graph {
  if (graph.nodes.length <= MANY) return graph
  const consumers = consumersOf(graph.nodes)
  const made = new Set(graph.nodes.flatMap((node) => node.outputs))
  const missing = new Map<GraphNode, number>()
  for (const node of graph.nodes) missing.set(node, new Set(readsOf(node).filter((name) => made.has(name))).size)
  const ready = graph.nodes.filter((node) => missing.get(node) === 0).reverse()
  const nodes: GraphNode[] = []
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    nodes.push(node)
    for (const name of node.outputs)
      for (const consumer of consumers.get(name) ?? []) {
        const left = (missing.get(consumer) ?? 0) - 1
        missing.set(consumer, left)
        if (left === 0) ready.push(consumer)
      }
  }
  return { ...graph, nodes }
}
