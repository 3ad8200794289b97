/** A second forward pass in the same graph, from inputs and taps of its own. */
import { AppError } from '../../../errors.ts'
import { Builder } from '../graph/builder.ts'
import { carriesFloats, describeNode, readsOf, shapeIn, typeIn, type Graph, type GraphNode } from '../graph/graph.ts'

export interface ReferencePass {
  /** Behind the model's nodes. What does not depend on the reference is not among them: it is computed once. */
  readonly nodes: readonly GraphNode[]
  readonly constants: Graph['constants']
  /** Input or tap -> graph input for its value in the reference pass. */
  readonly inputs: ReadonlyMap<string, string>
  /** The name of a tensor's value in the reference pass. */
  valueOf(tensor: string): string
}

const nameOf = (tensor: string): string => `limelight:reference/${tensor}`

/** What a reference pass is made for. */
export interface ReferenceRequest {
  /** Inputs and taps that the reference has values of its own for. */
  readonly references: readonly string[]
  /** Taps that the question gives: the same in both passes, unless the reference gives them too. */
  readonly replaced: ReadonlySet<string>
  /** A tensor with a row for each row of the question. */
  readonly rows: string
}

/** @throws AppError NOT_DIFFERENTIABLE where a subgraph (If, Loop) reads what differs: its nodes cannot be written twice. */
export function referencePass(graph: Graph, { references, replaced, rows }: ReferenceRequest): ReferencePass {
  const given = new Set([...references, ...replaced])
  const differing = new Set(references)
  const twice: GraphNode[] = []
  for (const node of graph.nodes) {
    if (!readsOf(node).some((name) => differing.has(name)) || node.outputs.every((name) => given.has(name))) continue
    if (node.captures?.some((name) => differing.has(name)))
      throw new AppError({
        code: 'NOT_DIFFERENTIABLE',
        message: `${describeNode(node)}: the reference pass does not follow into its subgraph. State the reference at a layer behind it, or choose another method.`,
      })
    twice.push(node)
    for (const name of node.outputs) if (name !== '' && !given.has(name)) differing.add(name)
  }
  const builder = new Builder(graph, nameOf('rows/'))
  const alone = onItsOwn(graph, references, twice, differing)
  const values = new Map([...differing].map((name) => [name, nameOf(name)]))
  if (!alone) for (const name of references) values.set(name, widened(builder, name, rows))
  const copies = twice.map((node) => ({
    ...node,
    name: nameOf(node.name || (node.outputs[0] ?? '')),
    inputs: node.inputs.map((name) => values.get(name) ?? name),
    outputs: node.outputs.map((name) => (name === '' ? '' : given.has(name) ? `${nameOf(name)}/unread` : nameOf(name))),
  }))
  return {
    nodes: [...builder.nodes, ...copies],
    constants: builder.constants,
    inputs: new Map(references.map((name) => [name, nameOf(name)])),
    valueOf: (tensor) => values.get(tensor) ?? tensor,
  }
}

/**
 * Whether one row can stand for all rows of the question, beside which it broadcasts: the rows are the first axis of every
 * tensor of the pass, and it reads nothing of the question's own.
 */
function onItsOwn(
  graph: Graph,
  references: readonly string[],
  nodes: readonly GraphNode[],
  differing: ReadonlySet<string>,
): boolean {
  const [rows, ...others] = new Set(references.map((name) => shapeIn(graph, name)?.[0]))
  if (typeof rows !== 'string' || others.length > 0) return false
  return nodes.every(
    (node) =>
      readsOf(node).every((name) => differing.has(name) || graph.constants.has(name)) &&
      node.outputs.every((name) => !carriesFloats(typeIn(graph, name)) || shapeIn(graph, name)?.[0] === rows),
  )
}

/** A reference repeated for every row of the question, where it has only one. */
function widened(build: Builder, name: string, rows: string): string {
  const extent = build.op('Shape', [rows], { start: 0, end: 1 })
  const rest = Array.from({ length: (shapeIn(build.graph, name)?.length ?? 1) - 1 }, () => 1)
  return build.op('Expand', [nameOf(name), build.op('Concat', [extent, build.ints(rest)], { axis: 0 })])
}
