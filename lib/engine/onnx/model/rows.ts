/** How many rows of a batch a graph can be asked at once. */
import type { Graph } from '../graph/graph.ts'
import { operatorOf } from '../operators/operator-of.ts'

/** Whether what comes out for one row depends on the rows beside it: dynamic quantisation has one scale for all of them. */
export function isBatchDependent(graph: Graph): boolean {
  return graph.nodes.some((node) => {
    const scale = node.operator === 'QuantizeLinear' ? node.inputs[1] : undefined
    return operatorOf(node).mixesRows === true || (scale !== undefined && !graph.constants.has(scale))
  })
}

/** The extent of the first axis where every input fixes one and the same; null where one leaves it open. */
export function fixedRows({ inputs }: Graph): number | null {
  const [first, ...others] = inputs.map(({ shape }) => shape?.[0])
  return typeof first === 'number' && others.every((rows) => rows === first) ? first : null
}
