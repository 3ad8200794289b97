/** Constant folding: nodes that read only constants are run once, by ONNX Runtime itself, and become constants. */
import { neededNodes, readsOf, type Graph, type GraphNode } from './graph.ts'
import { runOnce, toConstant, typeCode } from './runtime.ts'

const RANDOM = new Set([
  'RandomNormal',
  'RandomUniform',
  'RandomNormalLike',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
])

/** Replaces what can be known before the run by constants; gives the graph back as it was where that fails. */
export async function foldConstants(graph: Graph): Promise<Graph> {
  const known = new Set(graph.constants.keys())
  const foldable: GraphNode[] = []
  const rest: GraphNode[] = []
  for (const node of graph.nodes) {
    const constant = !RANDOM.has(node.operator) && !node.captures && readsOf(node).every((name) => known.has(name))
    if (constant) for (const name of node.outputs) known.add(name)
    ;(constant ? foldable : rest).push(node)
  }
  if (foldable.length === 0) return graph
  const made = new Set(foldable.flatMap((node) => node.outputs).filter((name) => name !== ''))
  const wanted = new Set(
    [...rest.flatMap(readsOf), ...graph.outputs.map((one) => one.name)].filter((name) => made.has(name)),
  )
  const folded = new Map(graph.constants)
  if (wanted.size > 0) {
    const nodes = neededNodes(foldable, wanted, new Set())
    const used = new Set(nodes.flatMap(readsOf))
    const constants = new Map([...graph.constants].filter(([name]) => used.has(name)))
    const outputs = [...wanted].map((name) => ({ name, type: 0, shape: null }))
    try {
      const results = await runOnce({ ...graph, nodes, inputs: [], outputs, constants }, {})
      for (const [name, tensor] of results) {
        if (typeCode(tensor.type) === 0) return graph
        folded.set(name, toConstant(tensor))
      }
    } catch {
      return graph
    }
  }
  const used = new Set([...rest.flatMap(readsOf), ...graph.outputs.map((one) => one.name)])
  return { ...graph, nodes: rest, constants: new Map([...folded].filter(([name]) => used.has(name))) }
}
