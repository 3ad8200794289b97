/** Operators that read some positions of an axis and no others. */
import { placeOf } from '../graph/builder.ts'
import { intsOf } from '../graph/constant.ts'
import { intAttribute, shapeIn, type Graph, type GraphNode } from '../graph/graph.ts'

interface Picked {
  readonly graph: Graph
  readonly node: GraphNode
  /** Which output is made of them. */
  readonly output: number
  /** Of the first input. */
  readonly axis: number
}

/** The place before which all positions lie that are read; null where they are not picked along this axis, or any may be. */
export type Picks = (at: Picked) => number | null

const ints = ({ graph, node }: Picked, input: number): readonly number[] | undefined => {
  const constant = graph.constants.get(node.inputs[input] ?? '')
  return constant && intsOf(constant)
}

function picksAlong({ graph, node, axis }: Picked): boolean {
  const rank = shapeIn(graph, node.inputs[0] ?? '')?.length
  return rank !== undefined && placeOf(intAttribute(node, 'axis') ?? 0, rank) === axis
}

/** The place that a bound counted from the end means; null where the extent is not known. */
function bound({ graph, node, axis }: Picked, end: number): number | null {
  const extent = shapeIn(graph, node.inputs[0] ?? '')?.[axis]
  if (end >= 0) return end
  return typeof extent === 'number' ? placeOf(end, extent) : null
}

export const gather: Picks = (at) => {
  const indices = ints(at, 1)
  if (!picksAlong(at) || indices === undefined) return null
  const places = indices.map((one) => bound(at, one))
  return places.every((one): one is number => one !== null) ? Math.max(...places) + 1 : null
}

export const slice: Picks = (at) => {
  const rank = shapeIn(at.graph, at.node.inputs[0] ?? '')?.length ?? 0
  const ends = ints(at, 2)
  const axes = ints(at, 3) ?? ends?.map((_, axis) => axis) ?? []
  const along = axes.findIndex((one) => placeOf(one, rank) === at.axis)
  const end = ends?.[along]
  return end === undefined || (ints(at, 4)?.[along] ?? 1) < 1 ? null : bound(at, end)
}

export const split: Picks = (at) => {
  if (!picksAlong(at)) return null
  const extents = at.node.outputs.slice(0, at.output + 1).map((name) => shapeIn(at.graph, name)?.[at.axis])
  const known = extents.every((one): one is number => typeof one === 'number')
  return known ? extents.reduce((sum, one) => sum + one, 0) : null
}
