/**
 * Maps that are not in the file (`graph.maps`), written into it for a question that names them. One that is only read stands
 * beside the graph. One that is replaced or differentiated stands in it: what read the tensor now reads the map, laid out as the
 * tensor was, with the tokens around it as they were.
 */
import type { Graph, GraphNode, MapView } from '../graph/graph.ts'
import { NodeWriter, numbered } from '../graph/node-writer.ts'

/** @param through maps that the run starts from or goes back to, @param beside those that are read only */
export function withMaps(graph: Graph, through: ReadonlySet<string>, beside: ReadonlySet<string>): Graph {
  const wanted = new Map<string, [string, MapView][]>()
  for (const [name, view] of graph.maps ?? [])
    if (through.has(name) || beside.has(name)) wanted.set(view.of, [...(wanted.get(view.of) ?? []), [name, view]])
  if (wanted.size === 0) return graph
  const values = new Map(graph.values)
  const write = new NodeWriter(numbered('limelight:map/'))
  const renamed = new Map<string, string>()
  const put = (tensor: string): void => {
    for (const [name, view] of wanted.get(tensor) ?? []) {
      writeView(write, name, view)
      const info = graph.values.get(tensor)
      if (!through.has(name) || info === undefined) continue
      const back = `limelight:map/back/${tensor}`
      writeBack(write, name, view, back)
      values.set(back, { ...info, name: back })
      renamed.set(tensor, back)
    }
  }
  for (const node of graph.nodes) {
    write.put(renamed.size === 0 ? node : reading(node, renamed))
    for (const output of node.outputs) put(output)
  }
  const constants = new Map([...graph.constants, ...write.constants])
  return { ...graph, nodes: write.nodes, constants, values }
}

function reading(node: GraphNode, renamed: ReadonlyMap<string, string>): GraphNode {
  if (!node.inputs.some((name) => renamed.has(name))) return node
  return { ...node, inputs: node.inputs.map((name) => renamed.get(name) ?? name) }
}

/** 0 keeps the rows of the batch, however many. */
const withRows = (extents: readonly number[]): number[] => [0, ...extents]

function sliced(write: NodeWriter, of: string, axis: number, from: number, to: number): string {
  return write.op('Slice', [of, write.ints([from]), write.ints([to]), write.ints([axis])])
}

function writeView(write: NodeWriter, name: string, { of, tokens, factors, extents, order, map }: MapView): void {
  const shown = tokens ? sliced(write, of, tokens.axis, tokens.leading, tokens.leading + tokens.count) : of
  const apart = factors.join() === extents.join() ? shown : write.op('Reshape', [shown, write.ints(withRows(factors))])
  const ordered = write.op('Transpose', [apart], { perm: order })
  write.op('Reshape', [ordered, write.ints(withRows(map))], {}, name)
}

function writeBack(
  write: NodeWriter,
  map: string,
  { of, tokens, factors, extents, order }: MapView,
  name: string,
): void {
  const ordered = order.slice(1).map((axis) => factors[axis - 1] ?? 1)
  const apart = write.op('Reshape', [map, write.ints(withRows(ordered))])
  const turned = write.op('Transpose', [apart], { perm: order.map((_, axis) => order.indexOf(axis)) })
  const shown = tokens ? write.op('Reshape', [turned, write.ints(withRows(extents))]) : null
  if (tokens === null || shown === null) {
    write.op('Reshape', [turned, write.ints(withRows(extents))], {}, name)
    return
  }
  const { axis, leading, count, extent } = tokens
  const before = leading > 0 ? [sliced(write, of, axis, 0, leading)] : []
  const after = leading + count < extent ? [sliced(write, of, axis, leading + count, extent)] : []
  write.op('Concat', [...before, shown, ...after], { axis }, name)
}
