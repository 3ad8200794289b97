/**
 * Rule sets that have no rule for something a model is made of, told from the graph alone: a method that bends by one of them is
 * then not offered, where it would fail in every run.
 */
import { float32 } from '../../../tensor/tensor.ts'
import type { TapId } from '../../tap-id.ts'
import { Bending } from '../gradient/bending.ts'
import { carriesGradient, obstaclesTo } from '../gradient/differentiate.ts'
import { describeObstacles } from '../gradient/obstacles.ts'
import type { RuleSetDefinition } from '../gradient/rule-sets/rule-set.ts'
import { readsOf, type Graph } from '../graph/graph.ts'
import { isWrittenOut } from '../prepare/write-out.ts'

/** Every tensor that is another one where these are. */
function changedBy(graph: Graph, from: readonly string[]): ReadonlySet<string> {
  const changed = new Set(from)
  for (const node of graph.nodes)
    if (readsOf(node).some((name) => changed.has(name))) for (const name of node.outputs) changed.add(name)
  return changed
}

/**
 * @param words where a text's words are first numbers; null for a model of pictures, which is asked at its inputs
 * @returns rule set -> what it has no rule for between there and the output
 */
export function unpassed(
  graph: Graph,
  logits: TapId,
  words: TapId | null,
  sets: readonly RuleSetDefinition[],
): Readonly<Record<string, string>> {
  const inputs = graph.inputs.map(({ name }) => name).filter((name) => carriesGradient(graph, name))
  const wrt = words === null ? inputs : [words]
  const changed = changedBy(graph, wrt)
  const blank = float32([0], [1])
  const reasons = sets
    .filter(({ refuses }) => refuses !== undefined)
    .map((set) => {
      const reference = { from: Object.fromEntries(wrt.map((name) => [name, blank])) }
      const rules = new Bending({ id: set.id, ...(set.needsReference ? { reference } : {}) }, sets)
      const obstacles = obstaclesTo(graph, {
        of: [logits],
        wrt,
        rules,
        replaced: new Set(),
        reference: (name) => (changed.has(name) ? `${name}, elsewhere` : name),
      })
      const lasting = obstacles.filter(({ node }) => !isWrittenOut(node, (one) => rules.bends(one)))
      return [set.id, describeObstacles(lasting).join(', ')] as const
    })
  return Object.fromEntries(reasons.filter(([, reason]) => reason !== ''))
}
