/**
 * A model's graph as each question needs it: with the functions written out of which its rule set bends a part only, and those
 * that have attention weights inside which it names.
 */
import { AppError } from '../../../errors.ts'
import { whyRefused } from '../../refusal.ts'
import type { TapId } from '../../tap-id.ts'
import type { Bending } from '../gradient/bending.ts'
import { describeObstacles, type Obstacle } from '../gradient/obstacles.ts'
import { operatorKey, type Graph, type GraphNode } from '../graph/graph.ts'
import { openedFor } from '../prepare/open-attention.ts'
import { apartKey, writeOut } from '../prepare/write-out.ts'

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
    const whole = bentAsWhole(this.#graph, named, bends)
    if (whole.length > 0)
      throw new AppError({
        code: 'NOT_DIFFERENTIABLE',
        message: whyRefused(
          describeObstacles(whole.map(([, obstacle]) => obstacle)),
          whole.map(([tap]) => tap),
        ),
        details: { operators: whole.map(([, { node }]) => operatorKey(node)) },
      })
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
}

/** The weights among some taps that lie inside an operator which a rule set bends as a whole: its parts have no rule there. */
export function bentAsWhole(
  graph: Graph,
  taps: Iterable<TapId>,
  bends: (node: GraphNode) => boolean,
): readonly (readonly [TapId, Obstacle])[] {
  return [...new Set(taps)].flatMap((tap): [TapId, Obstacle][] => {
    const inside = graph.attention?.get(tap)?.inside
    if (inside?.heads !== null) return []
    const node = graph.nodes.find(({ outputs }) => outputs[0] === inside.tensor)
    return node && bends(node) ? [[tap, { node, reason: 'the rule set has a rule for the whole of it only' }]] : []
  })
}
