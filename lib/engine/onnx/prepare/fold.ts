/**
 * Constant folding: nodes that read only constants are run once, by ONNX Runtime itself, and become constants. What would
 * become unreasonably large for its file stays a node.
 */
import { evaluate } from './evaluate.ts'
import { readsOf, type Graph, type GraphNode } from '../graph/graph.ts'
import { neededNodes } from '../graph/walks.ts'
import { operatorOf } from '../operators/operator-of.ts'
import { foldedBytes } from './limits.ts'
import { toConstant } from '../run/runtime.ts'

/** Merging the low-rank updates of a language model into its weights takes less. */
const MOST_SECONDS = 5

/** Replaces what can be known before the run by constants; gives the graph back as it was where that fails. */
export async function foldConstants(graph: Graph): Promise<Graph> {
  const known = new Set(graph.constants.keys())
  const foldable = new Set<GraphNode>()
  for (const node of graph.nodes) {
    const { random, subgraphs } = operatorOf(node)
    if (random || subgraphs || !readsOf(node).every((name) => known.has(name))) continue
    foldable.add(node)
    for (const name of node.outputs) known.add(name)
  }
  if (foldable.size === 0) return graph
  const rest = graph.nodes.filter((node) => !foldable.has(node))
  const read = new Set([...rest.flatMap(readsOf), ...graph.outputs.map((one) => one.name)])
  const made = [...foldable].flatMap((node) => node.outputs)
  const wanted = new Set(made.filter((name) => read.has(name)))
  const nodes = neededNodes([...foldable], wanted, new Set())
  const budget = { bytes: foldedBytes(graph), seconds: MOST_SECONDS }
  const results = await evaluate({ ...graph, nodes }, wanted, budget).catch(() => null)
  if (results === null) return graph
  const constants = new Map(graph.constants)
  for (const [name, tensor] of results) constants.set(name, toConstant(tensor))
  const needed = new Set(neededNodes(nodes, wanted, new Set(constants.keys())))
  const left = graph.nodes.filter((node) => !foldable.has(node) || needed.has(node))
  for (const name of left.flatMap(readsOf)) read.add(name)
  return { ...graph, nodes: left, constants: new Map([...constants].filter(([name]) => read.has(name))) }
}
