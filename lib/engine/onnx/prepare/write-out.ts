/** A graph in which chosen functions are written out (functions.ts). */
import { operatorKey, type Constant, type Graph, type GraphNode } from '../graph/graph.ts'
import { Expansion, NotWrittenOut, type Decomposition } from './expansion.ts'
import { FUNCTIONS } from './functions.ts'
import { inferShapes } from './infer-shapes.ts'

/** Whether a rule set has a rule of its own for an operator. */
export type Bends = (node: GraphNode) => boolean

/** By the tensor that a node makes: how it is written out, so that a tensor inside it has a name. */
export type Opened = ReadonlyMap<string, Decomposition>

const NOTHING: Opened = new Map()

/** How deep functions are made of functions. */
const DEEPEST = 3

const partsOf = (key: string): readonly string[] => FUNCTIONS[key]?.parts ?? []

/** Whether a rule set that has no row for a function has one for an operator in it. */
function isTakenApart(node: GraphNode, bends: Bends, depth = 0): boolean {
  if (bends(node) || node.obstacle !== undefined || depth === DEEPEST) return false
  return partsOf(operatorKey(node)).some((operator) => {
    const part = { ...node, operator, domain: '', attributes: {} }
    return bends(part) || isTakenApart(part, bends, depth + 1)
  })
}

/**
 * What is taken apart, and how far: equal for rule sets and openings that need the same graph; '' for those that need the graph
 * as it is.
 */
export function apartKey(graph: Graph, bends: Bends, opened: Opened = NOTHING): string {
  const names = Object.keys(FUNCTIONS)
  const apart = graph.nodes.flatMap((node) =>
    isTakenApart(node, bends)
      ? [[node.outputs[0], names.filter((operator) => bends({ ...node, operator, domain: '' }))]]
      : [],
  )
  return apart.length + opened.size === 0 ? '' : JSON.stringify([apart, [...opened.keys()].sort()])
}

/**
 * The same graph with functions of which only parts are bent, and nodes that are opened, as the operators that they are made of;
 * each of those stands for the tap that the function makes. Where a function cannot be written out its node says why, and no
 * gradient passes it.
 * @param infer finds the shapes of the added nodes
 */
export async function writeOut(
  graph: Graph,
  bends: Bends,
  opened: Opened = NOTHING,
  infer: (graph: Graph, added: readonly GraphNode[]) => Promise<Graph> = inferShapes,
): Promise<Graph> {
  const openingOf = (node: GraphNode): Decomposition | undefined => opened.get(node.outputs[0] ?? '')
  const isApart = (node: GraphNode): boolean => openingOf(node) !== undefined || isTakenApart(node, bends)
  if (!graph.nodes.some(isApart)) return graph
  const constants = new Map<string, Constant>(graph.constants)
  const added: GraphNode[] = []
  const nodes = graph.nodes.flatMap((node): readonly GraphNode[] => {
    if (!isApart(node)) return [node]
    const at = new Expansion(graph, node)
    const reason = written(at, openingOf(node) ?? FUNCTIONS[operatorKey(node)]?.write ?? null)
    if (reason !== null) return [{ ...node, obstacle: `the rule set bends a part of it and not the whole; ${reason}` }]
    for (const [name, value] of at.constants) constants.set(name, value)
    const origin = node.origin ?? node.outputs[0] ?? ''
    const made = at.nodes.map((one) => ({ ...one, origin }))
    added.push(...made)
    return made
  })
  return writeOut(await infer({ ...graph, nodes, constants }, added), bends, NOTHING, infer)
}

/** Writes a function out; the reason where it cannot be. */
function written(at: Expansion, write: Decomposition | null): string | null {
  if (write === null) return 'it is not written out'
  try {
    write(at)
    return null
  } catch (thrown) {
    if (thrown instanceof NotWrittenOut) return thrown.message
    throw thrown
  }
}
