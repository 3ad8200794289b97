/** The one look-up of what is known of an operator. */
import { operatorKey, type GraphNode } from '../graph/graph.ts'
import type { Operator } from './operator.ts'
import { OPERATORS } from './table.ts'

const UNKNOWN: Operator = {}

/** The row of a node's operator; an empty one where it has none. */
export function operatorOf(node: GraphNode): Operator {
  return OPERATORS[operatorKey(node)] ?? UNKNOWN
}
