/**
 * Which tensors of tokens send nothing of their grid on: a classifier that reads its class token alone leaves the last block's
 * other tokens unread, and their gradient is zero whatever the picture shows.
 */
import type { Graph, GraphNode } from '../graph/graph.ts'
import { operatorOf } from '../operators/operator-of.ts'
import type { Layout } from '../operators/picture-axes.ts'
import { broadcastAxes, operandsOf } from '../operators/positions.ts'

/** What is read of a tensor: all of it, or of its tokens those before a place. */
type Reading = 'all' | { readonly axis: number; readonly before: number }

function both(a: Reading | undefined, b: Reading): Reading {
  if (a === undefined) return b
  if (a === 'all' || b === 'all' || a.axis !== b.axis) return 'all'
  return { axis: a.axis, before: Math.max(a.before, b.before) }
}

/** @returns the tensors whose grid nothing is read of, as far as the output depends on them */
export function deadGrids(graph: Graph, output: string, layouts: ReadonlyMap<string, Layout>): ReadonlySet<string> {
  const readings = new Map<string, Reading>([[output, 'all']])
  for (const node of graph.nodes.toReversed()) {
    for (const [place, name] of node.outputs.entries()) {
      const reading = readings.get(name)
      if (reading === undefined) continue
      for (const [input, read] of node.inputs.entries())
        readings.set(read, both(readings.get(read), readOf(graph, { node, place, input, reading }, layouts)))
    }
  }
  const dead = new Set<string>()
  for (const [name, reading] of readings) {
    if (reading === 'all') continue
    const grid = layouts.get(name)?.[reading.axis]?.[0]?.grid
    if (grid !== undefined && reading.before <= grid.leading) dead.add(name)
  }
  return dead
}

interface Step {
  readonly node: GraphNode
  /** Of the output. */
  readonly place: number
  readonly input: number
  /** Of that output. */
  readonly reading: Reading
}

function readOf(graph: Graph, step: Step, layouts: ReadonlyMap<string, Layout>): Reading {
  const { node, place, input, reading } = step
  const from = layouts.get(node.inputs[input] ?? '')
  const axis = from ? tokenAxis(from) : null
  if (axis === null) return 'all'
  const before = input === 0 ? operatorOf(node).picks?.({ graph, node, output: place, axis }) : null
  if (typeof before === 'number') return { axis, before }
  if (reading === 'all') return 'all'
  const own = axesRead(graph, step, reading.axis, layouts)
  return own?.[input] === axis ? { axis, before: reading.before } : 'all'
}

/** The one axis of tokens; null where there is none, or several. */
function tokenAxis(layout: Layout): number | null {
  const places = layout.flatMap((axis, at) => (axis.some((one) => one.kind === 'tokens') ? [at] : []))
  const [only] = places
  return places.length === 1 && only !== undefined ? only : null
}

/** For each input the axis whose positions one by one make those along `axis` of the output; null where that is not certain. */
function axesRead(
  graph: Graph,
  { node, place }: Step,
  axis: number,
  layouts: ReadonlyMap<string, Layout>,
): readonly (number | null)[] | null {
  const { elementwise, inputAxes, layout, products, rule } = operatorOf(node)
  const operands = operandsOf(graph, node)
  const stated = operands && ((elementwise ? broadcastAxes : inputAxes)?.(operands, axis) ?? null)
  if (stated !== null) return stated
  const [result, read] = [node.outputs[place] ?? '', node.inputs[0] ?? ''].map((name) => layouts.get(name))
  if (!result || !read || tokenAxis(result) !== axis) return null
  // A product of quantised numbers has no axes of its own; tokens come of its first factor as they do of any product's.
  if (products !== undefined) return rule?.carriesIntegers && axis === result.length - 2 ? [read.length - 2] : null
  // What moves values, reduces other axes or rounds: the tokens are where the layout says.
  return layout !== undefined || rule?.carriesIntegers ? [tokenAxis(read)] : null
}
