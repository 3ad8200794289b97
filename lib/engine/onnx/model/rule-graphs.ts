/**
 * A model's graph as each question needs it: with the functions written out of which its rule set bends a part only, and those
 * that have attention weights inside which it names.
 */
import { AppError } from '../../../errors.ts'
import type { Bending } from '../gradient/bending.ts'
import { describeNode, operatorKey, type Graph, type GraphNode } from '../graph/graph.ts'
import { openedFor } from '../prepare/open-attention.ts'
import { apartKey, writeOut, type Opened } from '../prepare/write-out.ts'

/** Graphs kept: they share their weights, and few rule sets take functions apart. */
const MOST_KEPT = 8

export class RuleGraphs {
  readonly #graph: Graph
  readonly #written = new Map<string, Promise<Graph>>()

  constructor(graph: Graph) {
    this.#graph = graph
  }

  /**
   * @param named the tensors that the question names
   * @throws AppError NOT_DIFFERENTIABLE for weights inside an operator that the rule set bends as a whole
   */
  async for(rules: Bending, named: Iterable<string>): Promise<Graph> {
    const bends = (node: GraphNode): boolean => rules.bends(node)
    const opened = openedFor(this.#graph, named)
    if (opened.size === 0 && !rules.bendsAny) return this.#graph
    this.#refuseWhole(opened, bends)
    const key = apartKey(this.#graph, bends, opened)
    if (key === '') return this.#graph
    const known = this.#written.get(key) ?? writeOut(this.#graph, bends, opened)
    this.#written.delete(key)
    this.#written.set(key, known)
    const [oldest = key] = this.#written.keys()
    if (this.#written.size > MOST_KEPT) this.#written.delete(oldest)
    // What failed is tried again.
    known.catch(() => this.#written.delete(key))
    return known
  }

  #refuseWhole(opened: Opened, bends: (node: GraphNode) => boolean): void {
    const whole = this.#graph.nodes.find((node) => opened.has(node.outputs[0] ?? '') && bends(node))
    if (whole === undefined) return
    throw new AppError({
      code: 'NOT_DIFFERENTIABLE',
      message: `The rule set has a rule for ${describeNode(whole)} as a whole, and the attention weights inside it are asked for. Choose another rule set, or the layer behind it.`,
      details: { operators: [operatorKey(whole)] },
    })
  }
}
