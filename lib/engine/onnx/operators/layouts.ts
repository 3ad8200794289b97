/**
 * Where the places of a picture lie in what an operator makes, given where they lie in what it reads. An operator without a
 * rule here keeps them where it keeps the shape, and what it does elementwise where operands are widened.
 */
import { placeOf } from '../graph/builder.ts'
import { intAttribute, intsAttribute, textAttribute, type GraphNode } from '../graph/graph.ts'
import {
  batch,
  columns,
  fixed,
  gridOf,
  isOnly,
  other,
  reshaped,
  rows,
  same,
  showsPlaces,
  sizeOfAxis,
  weight,
  type Axis,
  type Factor,
  type Layout,
  type Size,
} from './picture-axes.ts'

export interface LaidOut {
  readonly node: GraphNode
  /** Of the output asked about. */
  readonly result: readonly (Size | null)[]
  /** Of each input; null where nothing is known of its places. */
  readonly layouts: readonly (Layout | null)[]
  /** Extents of each input; null where the rank is unknown. */
  readonly shapes: readonly (readonly (Size | null)[] | null)[]
  /** Integers of an input that is a constant. */
  readonly ints: (input: number) => readonly number[] | undefined
  /** Which output is asked about, and the extents of all. */
  readonly output: number
  readonly results: readonly (readonly (Size | null)[] | null)[]
}

/** Null where it is not certain. */
export type LayoutRule = (at: LaidOut) => Layout | null

/** A picture's map of [N, C, H, W]: windows slid over it make a map again. */
export const mapLayout: LayoutRule = ({ result, layouts: [x] }) => {
  if (result.length !== 4) return null
  const [first = null, channels = null, high = null, wide = null] = result
  return [x?.[0] ?? batch(first), other(channels), rows(high), columns(wide)]
}

export const transpose: LayoutRule = ({ node, layouts: [x] }) => {
  const order = intsAttribute(node, 'perm') ?? x?.map((_, axis) => x.length - 1 - axis)
  return x && order ? order.map((axis) => x[axis] ?? []) : null
}

export const reshape: LayoutRule = ({ result, layouts: [x] }) => (x ? reshaped(x, result) : null)

/** The better of several axes of one extent. */
function best(axes: readonly Axis[], size: Size | null): Axis {
  const fitting = axes.filter((axis) => size === null || same(sizeOfAxis(axis), size))
  return fitting.toSorted((a, b) => weight(b) - weight(a))[0] ?? other(size)
}

/** Operands lined up from their last axes. */
export const broadcastLayout: LayoutRule = ({ result, layouts }) => {
  if (layouts.every((one) => one === null)) return null
  return result.map((size, axis) => {
    const own = layouts.flatMap((layout) => {
      const found = layout?.[axis - (result.length - layout.length)]
      return found === undefined ? [] : [found]
    })
    return best(own, size)
  })
}

/** An operator that keeps the shape of an input keeps its places. */
export const keptLayout: LayoutRule = ({ result, layouts, shapes }) => {
  const at = shapes.findIndex(
    (shape, input) =>
      layouts[input] !== null &&
      shape?.length === result.length &&
      shape.every((size, axis) => same(size, result[axis] ?? null) || (size === null && result[axis] === null)),
  )
  return layouts[at] ?? null
}

/** Resized, padded: a map's axes get other extents and stay what they are. */
export const resizedLayout: LayoutRule = ({ result, layouts: [x] }) => {
  if (!x || x.length !== result.length) return null
  return x.map((axis, at) => {
    const size = result[at] ?? null
    if (same(sizeOfAxis(axis), size)) return axis
    if (axis.length > 0 && isOnly(axis, 'rows')) return rows(size)
    return axis.length > 0 && isOnly(axis, 'columns') ? columns(size) : other(size)
  })
}

export const matMul: LayoutRule = ({ result, layouts: [a, b], shapes }) => {
  const ranks = [shapes[0]?.length ?? 0, shapes[1]?.length ?? 0]
  if ((!a && !b) || ranks.some((rank) => rank < 2)) return null
  return result.map((size, axis) => {
    const place = axis - result.length
    if (place === -2) return a?.at(-2) ?? other(size)
    if (place === -1) return b?.at(-1) ?? other(size)
    return best(present(a?.at(place), b?.at(place)), size)
  })
}
const present = (...axes: readonly (Axis | undefined)[]): Axis[] =>
  axes.flatMap((axis) => (axis === undefined ? [] : [axis]))

export const gemm: LayoutRule = ({ node, result, layouts: [a] }) =>
  a ? [a[intAttribute(node, 'transA') ? 1 : 0] ?? [], other(result[1] ?? null)] : null

/** What a letter of the equation stands for in an operand, it stands for in the result. */
export const einsum: LayoutRule = ({ node, result, layouts }) => {
  const [reads = '', makes] = (textAttribute(node, 'equation') ?? '').replaceAll(' ', '').split('->')
  if (makes === undefined || reads.includes('.')) return null
  const letters = reads.split(',')
  return [...makes].map((letter, axis) =>
    best(
      letters.flatMap((own, input) => present(layouts[input]?.[own.indexOf(letter)])),
      result[axis] ?? null,
    ),
  )
}

/** @returns the axes a reduction goes over; null for all. */
function reducedAxes({ node, ints, shapes: [shape] }: LaidOut): readonly number[] | null {
  const stated = node.inputs.length > 1 && node.inputs[1] !== '' ? ints(1) : intsAttribute(node, 'axes')
  return stated && stated.length > 0 ? stated.map((axis) => placeOf(axis, shape?.length ?? 0)) : null
}

export const reduce: LayoutRule = (at) => {
  const [x] = at.layouts
  const axes = reducedAxes(at)
  if (!x || axes === null) return null
  const keeps = (intAttribute(at.node, 'keepdims') ?? 1) !== 0
  return x.flatMap((axis, place) => (!axes.includes(place) ? [axis] : keeps ? [[]] : []))
}

export const gather: LayoutRule = ({ node, result, layouts: [x], shapes }) => {
  const indices = shapes[1]
  if (!x || !indices) return null
  const axis = placeOf(intAttribute(node, 'axis') ?? 0, x.length)
  const picked = indices.map((_, at) => other(result[axis + at] ?? null))
  return [...x.slice(0, axis), ...picked, ...x.slice(axis + 1)]
}

interface Range {
  readonly start: number
  readonly end: number
  readonly step: number
}

/** What is left of an axis that is cut. */
function pieceOf(axis: Axis, { start, end, step }: Range, size: Size | null): Axis {
  const [only] = axis
  if (axis.length !== 1 || only === undefined || fixed(only.size) === null) return other(size)
  if (only.kind === 'tokens') return tokensFrom(only, start, end, step, size)
  if (only.kind !== 'rows' && only.kind !== 'columns')
    return size === null ? other(size) : [{ ...only, size, extent: size }]
  // Every second row: a map of half the extent, as a patch of two by two is merged.
  if (step !== 1 || only.stride !== 1) return only.kind === 'rows' ? rows(size) : columns(size)
  return size === null ? other(size) : [{ ...only, size, from: only.from + start }]
}

function tokensFrom({ grid, ...token }: Factor, start: number, end: number, step: number, size: Size | null): Axis {
  if (grid === undefined || step !== 1 || size === null) return other(size)
  const { rows: high, columns: wide, leading } = grid
  const last = leading + high * wide
  if (start === leading && end === last) return [...rows([high, high]), ...columns([wide, wide])]
  if (start > leading || end < last) return other(size)
  return [{ ...token, size, extent: size, grid: { ...grid, leading: leading - start } }]
}

const within = (place: number, extent: number): number =>
  Math.max(0, Math.min(extent, place < 0 ? place + extent : place))

export const slice: LayoutRule = ({ result, layouts: [x], shapes: [shape], ints }) => {
  if (!x || !shape) return null
  const [starts, ends] = [ints(1), ints(2)]
  const axes = ints(3) ?? starts?.map((_, axis) => axis)
  const steps = ints(4) ?? starts?.map(() => 1)
  const cut = x.map((axis, place) => {
    const size = result[place] ?? null
    if (same(sizeOfAxis(axis), size)) return axis
    const at = axes?.findIndex((one) => placeOf(one, x.length) === place) ?? -1
    const extent = shape[place] ? fixed(shape[place]) : null
    const [start, end, step] = [starts?.[at], ends?.[at], steps?.[at]]
    if (start === undefined || end === undefined || step === undefined || extent === null || step < 1)
      return other(size)
    return pieceOf(axis, { start: within(start, extent), end: within(end, extent), step }, size)
  })
  return cut
}

export const split: LayoutRule = ({ node, layouts: [x], results, output }) => {
  if (!x) return null
  const axis = placeOf(intAttribute(node, 'axis') ?? 0, x.length)
  const extents = results.map((one) => (one?.[axis] ? fixed(one[axis]) : null))
  const before = extents.slice(0, output)
  const size = results[output]?.[axis] ?? null
  const own = extents[output] ?? null
  if (own === null || before.includes(null)) return x.map((one, at) => (at === axis ? other(size) : one))
  const start = before.reduce<number>((sum, one) => sum + (one ?? 0), 0)
  return x.map((one, at) => (at === axis ? pieceOf(one, { start, end: start + own, step: 1 }, size) : one))
}

/** Pieces put together: in their order the axis that they were cut from, in another one that axis rolled. */
function rolled(pieces: readonly Axis[], size: Size): Axis | null {
  const factors = pieces.map((axis) => (axis.length === 1 ? axis[0] : undefined))
  const [first] = factors
  const extent = first && fixed(first.extent)
  if (first === undefined || extent === null || extent === undefined || !same(first.extent, size)) return null
  let at = first.from
  for (const one of factors) {
    if (one === undefined || one.kind !== first.kind || one.shift !== first.shift || one.stride !== 1) return null
    if (!same(one.extent, first.extent) || one.from !== at) return null
    at = (at + (fixed(one.size) ?? Number.NaN)) % extent
  }
  return [{ ...first, size, from: 0, shift: (first.shift + first.from) % extent }]
}

export const concat: LayoutRule = ({ node, result, layouts, shapes }) => {
  const known = layouts.filter((one) => one !== null)
  if (known.length === 0) return null
  const axis = placeOf(intAttribute(node, 'axis') ?? 0, result.length)
  return result.map((size, at) => {
    const own = known.flatMap((layout) => present(layout[at]))
    return at === axis
      ? concatenated(
          layouts.map((layout) => layout?.[at] ?? []),
          shapes.map((shape) => shape?.[at] ?? null),
          size,
        )
      : best(own, size)
  })
}

function concatenated(pieces: readonly Axis[], sizes: readonly (Size | null)[], size: Size | null): Axis {
  const showing = pieces.flatMap((axis, at) => (showsPlaces(axis) ? [at] : []))
  const [only = -1] = showing
  if (size === null || showing.length === 0) return other(size)
  const grid = showing.length === 1 ? gridOf(pieces[only] ?? []) : null
  if (grid !== null) {
    const before = sizes.slice(0, only).map((one) => (one ? fixed(one) : null))
    if (before.includes(null)) return other(size)
    const leading = before.reduce<number>((sum, one) => sum + (one ?? 0), grid.leading)
    return [{ kind: 'tokens', size, stride: 1, extent: size, shift: 0, from: 0, grid: { ...grid, leading } }]
  }
  const [kind] = pieces[only] ?? []
  if (showing.length === pieces.length && kind && (kind.kind === 'rows' || kind.kind === 'columns'))
    if (pieces.every((axis) => isOnly(axis, kind.kind)))
      return rolled(pieces, size) ?? (kind.kind === 'rows' ? rows(size) : columns(size))
  return other(size)
}
