/** Attention weights that are no tensor of a graph as it stands: how the nodes that have them inside are written out. */
import { intAttribute, operatorKey, shapeIn, type Dim, type Graph, type GraphNode } from '../graph/graph.ts'
import { Expansion, NotWrittenOut, type Decomposition } from './expansion.ts'
import { unfoldHeads } from './functions-attention.ts'
import { FUNCTIONS } from './functions.ts'
import type { Opened } from './write-out.ts'

/** How an operator is written out with its attention weights under a name; null where it has none, or is not written out. */
function openingOf(graph: Graph, node: GraphNode): Decomposition | null {
  const open = node.obstacle === undefined ? FUNCTIONS[operatorKey(node)]?.open : undefined
  if (open === undefined) return null
  try {
    open(new Expansion(graph, node))
    return open
  } catch (thrown) {
    if (thrown instanceof NotWrittenOut) return null
    throw thrown
  }
}

/** [N, heads, T, S] of the weights inside an operator on queries and keys; null where it has none that can be had. */
export function shapeInside(graph: Graph, node: GraphNode): readonly Dim[] | null {
  if (openingOf(graph, node) === null) return null
  const [query, key] = [0, 1].map((place) => shapeIn(graph, node.inputs[place] ?? ''))
  const heads = query?.length === 4 ? query[1] : intAttribute(node, 'q_num_heads')
  return [query?.[0] ?? null, heads ?? null, query?.at(-2) ?? null, key?.at(-2) ?? null]
}

/** The nodes that have weights inside which a question names. */
export function openedFor(graph: Graph, names: Iterable<string>): Opened {
  const opened = new Map<string, Decomposition>()
  for (const name of names) {
    const inside = graph.attention?.get(name)?.inside
    if (inside === undefined) continue
    const node = graph.nodes.find(({ outputs }) => outputs[0] === inside.tensor)
    const open = inside.heads === null ? node && openingOf(graph, node) : unfoldHeads(inside.heads)
    if (open) opened.set(inside.tensor, open)
  }
  return opened
}
