/** Walks over a graph: who makes and who reads a tensor, the order of nodes, and what is needed for an answer. */
import { badModel, describeNode, readsOf, type GraphNode } from './graph.ts'

/** tensor name -> the node that makes it. Throws BAD_MODEL when two nodes make the same tensor. */
export function producersOf(nodes: readonly GraphNode[]): Map<string, GraphNode> {
  const producers = new Map<string, GraphNode>()
  for (const node of nodes)
    for (const output of node.outputs) {
      if (output === '') continue
      if (producers.has(output)) throw badModel(`Two nodes make the tensor "${output}".`)
      producers.set(output, node)
    }
  return producers
}

/** tensor name -> the nodes that read it. */
export function consumersOf(nodes: readonly GraphNode[]): Map<string, GraphNode[]> {
  const consumers = new Map<string, GraphNode[]>()
  for (const node of nodes)
    for (const name of new Set(readsOf(node))) {
      const known = consumers.get(name)
      if (known) known.push(node)
      else consumers.set(name, [node])
    }
  return consumers
}

/**
 * Orders nodes so that every tensor is made before it is read; keeps the given order where it is already valid.
 * @throws AppError BAD_MODEL on a cycle, a tensor nobody makes, or a tensor made twice.
 */
export function topologicalOrder(nodes: readonly GraphNode[], available: ReadonlySet<string>): GraphNode[] {
  const producers = producersOf(nodes)
  for (const name of producers.keys())
    if (available.has(name)) throw badModel(`The tensor "${name}" is both an input or weight and made by a node.`)
  const state = new Map<GraphNode, 'open' | 'done'>()
  const ordered: GraphNode[] = []
  for (const root of nodes) {
    if (state.get(root) === 'done') continue
    // An explicit stack: graphs are deeper than JavaScript's call stack.
    const stack: { node: GraphNode; reads: string[]; next: number }[] = [{ node: root, reads: readsOf(root), next: 0 }]
    state.set(root, 'open')
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const name = top.reads[top.next++]
      if (name === undefined) {
        state.set(top.node, 'done')
        ordered.push(top.node)
        stack.pop()
        continue
      }
      const producer = producers.get(name)
      if (producer === undefined) {
        if (!available.has(name))
          throw badModel(`${describeNode(top.node)} reads "${name}", which nothing makes. The file is damaged or cut.`)
        continue
      }
      const seen = state.get(producer)
      if (seen === 'open') throw badModel(`The graph has a cycle through ${describeNode(producer)}.`)
      if (seen === 'done') continue
      state.set(producer, 'open')
      stack.push({ node: producer, reads: readsOf(producer), next: 0 })
    }
  }
  return ordered
}

/** Nodes that are needed to make `wanted`, in order; the walk stops at `given`. */
export function neededNodes(
  nodes: readonly GraphNode[],
  wanted: Iterable<string>,
  given: ReadonlySet<string>,
): GraphNode[] {
  const needed = new Set<string>(wanted)
  const kept: GraphNode[] = []
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name) && !given.has(name))) continue
    kept.push(node)
    for (const name of readsOf(node)) needed.add(name)
  }
  return kept.reverse()
}
