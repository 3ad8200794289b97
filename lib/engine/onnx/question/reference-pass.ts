/** A second forward pass in the same graph, from inputs and taps of its own. */
import { AppError } from '../../../errors.ts'
import { describeNode, readsOf, type Graph, type GraphNode } from '../graph/graph.ts'

export interface ReferencePass {
  /** Behind the model's nodes. What does not depend on the reference is not among them: it is computed once. */
  readonly nodes: readonly GraphNode[]
  /** Input or tap -> graph input for its value in the reference pass. */
  readonly inputs: ReadonlyMap<string, string>
  /** The name of a tensor's value in the reference pass. */
  valueOf(tensor: string): string
}

const nameOf = (tensor: string): string => `limelight:reference/${tensor}`

/**
 * @param references inputs and taps that the reference has values of its own for
 * @param replaced taps that the question gives: the same in both passes, unless the reference gives them too
 * @throws AppError NOT_DIFFERENTIABLE where a subgraph (If, Loop) reads what differs: its nodes cannot be written twice.
 */
export function referencePass(
  graph: Graph,
  references: readonly string[],
  replaced: ReadonlySet<string>,
): ReferencePass {
  const inputs = new Map(references.map((name) => [name, nameOf(name)]))
  const values = new Map(inputs)
  const given = new Set([...references, ...replaced])
  const nodes: GraphNode[] = []
  for (const node of graph.nodes) {
    if (!readsOf(node).some((name) => values.has(name)) || node.outputs.every((name) => given.has(name))) continue
    if (node.captures?.some((name) => values.has(name)))
      throw new AppError({
        code: 'NOT_DIFFERENTIABLE',
        message: `${describeNode(node)}: the reference pass does not follow into its subgraph. Choose a layer behind it as the reference's, or another method.`,
      })
    const copy = (name: string): string =>
      name === '' ? '' : given.has(name) ? `${nameOf(name)}/unread` : nameOf(name)
    nodes.push({
      ...node,
      name: nameOf(node.name || (node.outputs[0] ?? '')),
      inputs: node.inputs.map((name) => values.get(name) ?? name),
      outputs: node.outputs.map(copy),
    })
    for (const name of node.outputs) if (name !== '' && !given.has(name)) values.set(name, nameOf(name))
  }
  return { nodes, inputs, valueOf: (tensor) => values.get(tensor) ?? tensor }
}
