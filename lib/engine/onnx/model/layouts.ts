/** Where the places of the picture lie in every tensor of a graph, followed from the inputs on. */
import { intsOf } from '../graph/constant.ts'
import { shapeIn, type Graph } from '../graph/graph.ts'
import { broadcastLayout, keptLayout, mapLayout, resizedLayout, type LaidOut } from '../operators/layouts.ts'
import { operatorOf } from '../operators/operator-of.ts'
import {
  batch,
  columns,
  isOnly,
  other,
  rows,
  showsPlaces,
  Sizes,
  type Layout,
  type Size,
} from '../operators/picture-axes.ts'

/** How many channels a picture has where it is an input. */
const CHANNELS: readonly number[] = [1, 3, 4]

/** @returns tensor -> its layout, where something is known of it */
export function layoutsOf(graph: Graph): ReadonlyMap<string, Layout> {
  const sizes = new Sizes()
  const found = new Map<string, Layout>()
  const extents = (name: string): readonly (Size | null)[] | null =>
    shapeIn(graph, name)?.map((dim) => sizes.of(dim)) ?? null
  for (const { name } of graph.inputs) {
    const shape = extents(name)
    if (shape?.length === 4) found.set(name, pictureLayout(shape))
  }
  for (const node of graph.nodes) {
    const layouts = node.inputs.map((name) => found.get(name) ?? null)
    const { makesMap } = operatorOf(node)
    if (!makesMap && layouts.every((one) => one === null)) continue
    const shapes = node.inputs.map((name) => (name === '' ? null : extents(name)))
    const results = node.outputs.map(extents)
    const ints = (input: number): readonly number[] | undefined => {
      const constant = graph.constants.get(node.inputs[input] ?? '')
      return constant && intsOf(constant)
    }
    for (const [output, name] of node.outputs.entries()) {
      const result = results[output]
      if (name === '' || !result) continue
      const layout = layoutBehind({ node, result, layouts, shapes, ints, output, results })
      if (layout?.length === result.length) found.set(name, layout)
    }
  }
  return found
}

function pictureLayout([first = null, second = null, third = null, fourth = null]: readonly (Size | null)[]): Layout {
  const counts = (size: Size | null): boolean => size !== null && CHANNELS.includes(size[0])
  return !counts(second) && counts(fourth)
    ? [batch(first), rows(second), columns(third), other(fourth)]
    : [batch(first), other(second), rows(third), columns(fourth)]
}

function layoutBehind(at: LaidOut): Layout | null {
  const { makesMap, window, keepsMap, elementwise, layout } = operatorOf(at.node)
  if (makesMap || window) return mapLayout(at)
  const followed = layout ? layout(at) : elementwise ? broadcastLayout(at) : keptLayout(at)
  if (followed !== null || !keepsMap) return followed
  return resizedLayout(at) ?? (at.layouts.some((one) => one !== null && isMap(one)) ? mapLayout(at) : null)
}

/** [N, C, H, W] */
export function isMap(layout: Layout): boolean {
  const [first = [], channels = [], down = [], across = []] = layout
  if (layout.length !== 4 || [first, channels].some(showsPlaces) || down.length + across.length === 0) return false
  return isOnly(down, 'rows') && isOnly(across, 'columns') && [...down, ...across].every((one) => one.shift === 0)
}
