/**
 * Maps that a graph has and does not lay out as [N, C, H, W]: channels last, and tokens on a grid. Letters: N batch, C channels,
 * H x W extent, T tokens, E embedding size.
 */
import type { TokenGrid } from '../../model.ts'
import type { TapId } from '../../tap-id.ts'
import { carriesGradient } from '../gradient/differentiate.ts'
import { DataType, shapeIn, type Graph, type MapView, type ValueInfo } from '../graph/graph.ts'
import {
  fixed,
  gridOf,
  isOnly,
  showsPlaces,
  wholeExtent,
  type Axis,
  type Factor,
  type Layout,
} from '../operators/picture-axes.ts'

/** The tap under which a tensor is seen as a map. */
export function mapOf(tensor: string): TapId {
  return `${tensor}/map`
}

/** The grid of the tokens that a view shows; null for channels last. */
export function gridShown({ extents, tokens, map: [, rows, columns] }: MapView): TokenGrid | null {
  return extents.length === 2 ? { rows, columns, leading: tokens?.leading ?? 0 } : null
}

/** The graph with all its maps known by a name. */
export function withMapsSeen(graph: Graph, layouts: ReadonlyMap<string, Layout>): Graph {
  const maps = new Map<TapId, MapView>()
  const values = new Map<string, ValueInfo>(graph.values)
  const outputs = new Set(graph.outputs.map((one) => one.name))
  const taken = new Set([...graph.constants.keys(), ...graph.values.keys()])
  for (const node of graph.nodes)
    for (const tensor of node.outputs) {
      const layout = layouts.get(tensor)
      const name = mapOf(tensor)
      if (layout === undefined || outputs.has(tensor) || taken.has(name)) continue
      const view = seenAsMap(graph, tensor, layout)
      if (view === null) continue
      maps.set(name, view)
      values.set(name, { name, type: DataType.float, shape: [shapeIn(graph, tensor)?.[0] ?? null, ...view.map] })
    }
  return maps.size === 0 ? graph : { ...graph, maps, values }
}

const ORDER = ['other', 'rows', 'columns'] as const

/** How a tensor is seen as a map; null where it is none. */
function seenAsMap(graph: Graph, name: string, layout: Layout): MapView | null {
  const shape = shapeIn(graph, name)?.map((dim) => (typeof dim === 'number' ? dim : null))
  const [first = [], ...axes] = layout
  const extents = shape?.slice(1)
  if (!extents?.every((one): one is number => one !== null && one > 0)) return null
  if (!isOnly(first, 'batch') || !carriesGradient(graph, name)) return null
  const showing = axes.flatMap((axis, at) => (showsPlaces(axis) ? [at] : []))
  const [place = -1, second] = showing
  if (axes.length === 2 && showing.length === 1) return tokensSeen(name, extents, axes, place)
  if (axes.length !== 3 || showing.length !== 2 || second === undefined) return null
  const whole = showing.every((at) => wholeExtent(axes[at] ?? []) !== null && axes[at]?.length === 1)
  if (!whole || place === 1) return null // [N, C, H, W] is seen as it is
  return viewOf({ of: name, tokens: null, extents }, axes)
}

function tokensSeen(of: string, whole: readonly number[], axes: readonly Axis[], place: number): MapView | null {
  const axis = axes[place] ?? []
  const grid = gridOf(axis)
  const extent = whole[place]
  if (grid === null || extent === undefined || grid.rows * grid.columns < 2) return null
  const count = grid.rows * grid.columns
  const extents = whole.map((one, at) => (at === place ? count : one))
  const [only] = axis
  const shown = axes.map((one, at) => (at === place && only?.kind === 'tokens' ? laidOut(only, grid) : one))
  const tokens = count === extent ? null : { axis: place + 1, leading: grid.leading, count, extent }
  return viewOf({ of, tokens, extents }, shown)
}

function laidOut(token: Factor, grid: TokenGrid): Axis {
  const sized = (kind: 'rows' | 'columns', extent: number): Factor => ({
    ...token,
    kind,
    size: [extent, extent],
    extent: [extent, extent],
  })
  return [sized('rows', grid.rows), sized('columns', grid.columns)]
}

/** The order of factors in which channels come first, then rows, then columns, each the slowest first. */
function viewOf(view: Pick<MapView, 'of' | 'tokens' | 'extents'>, axes: readonly Axis[]): MapView | null {
  // An axis of extent 1 has no factors, and still is one.
  const factors = axes.flatMap((axis): { kind: Factor['kind']; stride: number; extent: number | null }[] =>
    axis.length === 0
      ? [{ kind: 'other', stride: 1, extent: 1 }]
      : axis.map(({ kind, stride, size }) => ({ kind, stride, extent: fixed(size) })),
  )
  const sizes = factors.map((one) => one.extent)
  if (!sizes.every((one): one is number => one !== null)) return null
  const places = factors.map((_, at) => at)
  const byKind = ORDER.map((kind) => {
    const own = places.filter((at) => factors[at]?.kind === kind)
    return kind === 'other' ? own : own.toSorted((a, b) => (factors[b]?.stride ?? 0) - (factors[a]?.stride ?? 0))
  })
  const [channels = 1, high = 1, wide = 1] = byKind.map((own) =>
    own.reduce((product, at) => product * (sizes[at] ?? 1), 1),
  )
  if (byKind.flat().length !== factors.length) return null
  return { ...view, factors: sizes, order: [0, ...byKind.flat().map((at) => at + 1)], map: [channels, high, wide] }
}
