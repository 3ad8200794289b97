/** What tensors are called where a person reads it. */
import type { GraphNode } from '../graph/graph.ts'

/**
 * `/layer1/layer1.0/conv1/Conv` -> `layer1.0.conv1`; torch's dynamo exporter writes the module path itself.
 * What remains unnamed is called by its tensor.
 */
export function labelOf(node: GraphNode): string {
  if (node.scope !== undefined) return node.scope
  const parts = (node.name || (node.outputs[0] ?? '')).split('/').filter((part) => part !== '')
  const bare = parts.at(-1)?.replace(/_\d+$/, '')
  const path = parts.length > 1 && bare === node.operator ? parts.slice(0, -1) : parts
  return path.filter((part, index) => !path[index + 1]?.startsWith(`${part}.`)).join('.') || node.operator
}

/** Labels made unique: the operator behind those that several tensors share, then a number. */
export function uniqueLabels(nodes: readonly { label: string; operator: string }[]): string[] {
  const count = (labels: readonly string[]): Map<string, number> => {
    const counts = new Map<string, number>()
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
    return counts
  }
  const shared = count(nodes.map((one) => one.label))
  const named = nodes.map(({ label, operator }) =>
    (shared.get(label) ?? 0) > 1 && operator !== '' ? `${label} ${operator}` : label,
  )
  const still = count(named)
  const seen = new Map<string, number>()
  return named.map((label) => {
    if ((still.get(label) ?? 0) < 2) return label
    const place = (seen.get(label) ?? 0) + 1
    seen.set(label, place)
    return place === 1 ? label : `${label} ${place}`
  })
}
