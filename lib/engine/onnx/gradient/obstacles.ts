/** What gradients cannot pass: asked before the first rule runs, and of every layer when a model is loaded. */
import type { RuleSet } from '../../model.ts'
import type { Builder } from '../graph/builder.ts'
import { carriesFloats, describeNode, operatorKey, type GraphNode } from '../graph/graph.ts'
import { ruleFor } from '../operators/bent-rules.ts'
import { operatorOf } from '../operators/operator-of.ts'

export interface Obstacle {
  readonly node: GraphNode
  /** A phrase; null where the operator as such has no rule. */
  readonly reason: string | null
}

/** Why no gradient passes a node from those of its outputs that `carries` is true of; null where it passes. */
export function obstacleAt(
  node: GraphNode,
  build: Builder,
  rules: RuleSet,
  carries: (output: string) => boolean,
): Obstacle | null {
  const entry = ruleFor(node, rules)
  if (entry === undefined) return { node, reason: node.obstacle ?? null }
  const handled = entry.outputs ?? 1
  const ignored = node.outputs.findIndex((name, place) => place >= handled && name !== '' && carries(name))
  if (ignored >= 0) return { node, reason: `its output ${ignored + 1} has no gradient rule` }
  if (computesIntegers(node, build)) return { node, reason: 'on integers' }
  const reason = entry.refuses?.(node, build) ?? null
  return reason === null ? null : { node, reason }
}

function computesIntegers(node: GraphNode, build: Builder): boolean {
  const { rule, holdsForIntegers } = operatorOf(node)
  if (rule?.carriesIntegers || holdsForIntegers) return false
  const type = build.type(node.outputs[0] ?? '')
  return type !== 0 && !carriesFloats(type)
}

/** "Det", "Clip (why, at layer1/Clip and 3 more)": each operator and reason once, in order. */
export function describeObstacles(obstacles: Iterable<Obstacle>): string[] {
  const alike = new Map<string, Obstacle[]>()
  for (const obstacle of new Set(obstacles)) {
    const key = `${operatorKey(obstacle.node)} ${obstacle.reason ?? ''}`
    alike.set(key, [...(alike.get(key) ?? []), obstacle])
  }
  const texts = [...alike.values()].map(([first, ...others]) => {
    if (!first) return ''
    const { node, reason } = first
    if (reason === null) return operatorKey(node)
    const more = others.length > 0 ? ` and ${others.length} more` : ''
    return `${operatorKey(node)} (${reason}; at ${node.name || node.outputs[0] || describeNode(node)}${more})`
  })
  return texts.sort()
}
