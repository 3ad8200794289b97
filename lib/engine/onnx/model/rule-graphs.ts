/** A model's graph as each rule set needs it: with the functions written out of which it bends a part only. */
import type { Bending } from '../gradient/bending.ts'
import type { Graph, GraphNode } from '../graph/graph.ts'
import { apartKey, writeOut } from '../prepare/write-out.ts'

export class RuleGraphs {
  readonly #graph: Graph
  readonly #written = new Map<string, Promise<Graph>>()

  constructor(graph: Graph) {
    this.#graph = graph
  }

  for(rules: Bending): Promise<Graph> {
    const bends = (node: GraphNode): boolean => rules.bends(node)
    const key = rules.bendsAny ? apartKey(this.#graph, bends) : ''
    if (key === '') return Promise.resolve(this.#graph)
    const known = this.#written.get(key) ?? writeOut(this.#graph, bends)
    this.#written.set(key, known)
    return known
  }
}
