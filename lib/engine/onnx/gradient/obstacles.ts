/** What gradients cannot pass: asked before the first rule runs, and of every layer when a model is loaded. */
import type { Builder } from '../graph/builder.ts'
import { carriesFloats, describeNode, nameOf, operatorKey, type GraphNode } from '../graph/graph.ts'
import { operatorOf } from '../operators/operator-of.ts'
import { PLAIN, type Bending } from './bending.ts'
import type { Backwards } from './rule-sets/rule-set.ts'

export interface Obstacle {
  readonly node: GraphNode
  /** A phrase; null where the operator as such has no rule. */
  readonly reason: string | null
}

/** The rules that a gradient goes by, and what is known of its way. */
export interface Way {
  readonly rules: Bending
  readonly backwards: Backwards
}

const ANY_WAY: Way = { rules: PLAIN, backwards: { depends: () => true, reference: (name) => name } }

/** Why no gradient passes a node from those of its outputs that `carries` is true of; null where it passes. */
export function obstacleAt(
  node: GraphNode,
  build: Builder,
  carries: (output: string) => boolean,
  { rules, backwards }: Way = ANY_WAY,
): Obstacle | null {
  const entry = rules.ruleOf(node, backwards)
  if (entry === undefined || node.obstacle !== undefined) return { node, reason: node.obstacle ?? null }
  const refused = rules.refusal(node)
  if (refused !== null) return { node, reason: refused }
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
    return `${operatorKey(node)} (${reason}; at ${nameOf(node) || describeNode(node)}${more})`
  })
  return texts.sort()
}
