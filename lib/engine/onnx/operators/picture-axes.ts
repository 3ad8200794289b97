/**
 * Where the places of a picture lie in a tensor. An axis is a product of factors, as in an einops pattern: the columns of a map
 * [N, H, W, C] cut into windows are a factor over windows and one within them, and tokens [N, T, E] have rows and columns on
 * one axis. What reshapes and transposes do is then exact, however an exporter writes it.
 */
import type { Dim } from '../graph/graph.ts'

/** An extent at two samples of what is unknown before the run: products of extents can be told apart, and compared. */
export type Size = readonly [number, number]

export interface Factor {
  /** 'tokens': a grid of rows and columns on one axis, with further tokens around it. 'other': channels, heads and the like. */
  readonly kind: 'batch' | 'rows' | 'columns' | 'tokens' | 'other'
  readonly size: Size
  /** Of rows and columns: how far on the map one step is, how far the map goes, how far it was rolled, where a piece begins. */
  readonly stride: number
  readonly extent: Size
  readonly shift: number
  readonly from: number
  /** Of tokens: the grid, and how many others stand before it. */
  readonly grid?: Grid
}

export interface Grid {
  readonly rows: number
  readonly columns: number
  readonly leading: number
}

/** The factors of one axis, the slowest first; none where its extent is 1. */
export type Axis = readonly Factor[]
export type Layout = readonly Axis[]

const PRIMES = [1_000_003, 1_000_033, 1_000_037, 1_000_039, 1_000_081, 1_000_099, 1_000_117, 1_000_121]

/** Turns extents into sizes; what a file calls by a name is a prime, so that nothing is mistaken for a multiple of it. */
export class Sizes {
  readonly #named = new Map<string, number>()

  /** Null for what is not known. */
  of(dim: Dim | undefined): Size | null {
    if (typeof dim === 'number') return [dim, dim]
    if (dim === null || dim === undefined) return null
    const [first, second] = dim.split('|').map(Number)
    if (Number.isInteger(first) && Number.isInteger(second)) return [first ?? 1, second ?? 1]
    const known = this.#named.get(dim) ?? PRIMES[this.#named.size]
    if (known === undefined) return null
    this.#named.set(dim, known)
    return [known, known]
  }
}

const ONE: Size = [1, 1]
const isOne = (size: Size): boolean => size[0] === 1 && size[1] === 1
export const same = (a: Size | null, b: Size | null): boolean =>
  a !== null && b !== null && a[0] === b[0] && a[1] === b[1]
/** The one extent; null where it changes from run to run. */
export const fixed = (size: Size): number | null => (size[0] === size[1] ? size[0] : null)
const times = (a: Size, b: Size): Size => [a[0] * b[0], a[1] * b[1]]
const divides = (a: Size, b: Size): boolean => b[0] % a[0] === 0 && b[1] % a[1] === 0
const over = (a: Size, b: Size): Size => [a[0] / b[0], a[1] / b[1]]

/** Equal to nothing, and nothing's multiple. */
const UNKNOWN: Size = [Number.NaN, Number.NaN]

function axisOf(kind: Factor['kind'], known: Size | null): Axis {
  const size = known ?? UNKNOWN
  return isOne(size) ? [] : [{ kind, size, stride: 1, extent: size, shift: 0, from: 0 }]
}
export const batch = (size: Size | null): Axis => axisOf('batch', size)
export const other = (size: Size | null): Axis => axisOf('other', size)
export const rows = (size: Size | null): Axis => axisOf('rows', size)
export const columns = (size: Size | null): Axis => axisOf('columns', size)

export const sizeOfAxis = (axis: Axis): Size => axis.reduce<Size>((size, one) => times(size, one.size), ONE)

const onPicture = (one: Factor): boolean => one.kind === 'rows' || one.kind === 'columns'
export const showsPlaces = (axis: Axis): boolean => axis.some((one) => onPicture(one) || one.kind === 'tokens')
export const isOnly = (axis: Axis, kind: Factor['kind']): boolean => axis.every((one) => one.kind === kind)

/** How many rows (or columns) these factors are, the largest stride first; null where they leave some out or were rolled. */
export function wholeExtent(factors: readonly Factor[]): Size | null {
  const ordered = factors.toSorted((a, b) => b.stride - a.stride)
  const [first] = ordered
  if (first === undefined || ordered.some((one) => one.shift !== 0 || one.from !== 0)) return null
  if (ordered.length === 1 && first.stride === 1) return same(first.size, first.extent) ? first.size : null
  let above = fixed(first.extent)
  for (const { stride, size } of ordered) {
    const own = fixed(size)
    if (own === null || above !== stride * own) return null
    above = stride
  }
  return sizeOfAxis(ordered)
}

/** The grid that an axis of tokens holds; null for any other axis. */
export function gridOf(axis: Axis): Grid | null {
  const [only] = axis
  if (only?.kind === 'tokens' && axis.length === 1) return only.grid ?? null
  if (!axis.every(onPicture)) return null
  const [down, across] = (['rows', 'columns'] as const).map((kind) =>
    wholeExtent(axis.filter((one) => one.kind === kind)),
  )
  const [high, wide] = [down ? fixed(down) : null, across ? fixed(across) : null]
  return high === null || wide === null ? null : { rows: high, columns: wide, leading: 0 }
}

/** Cuts a factor into a slow part and a fast one; null where that is not certain. */
function cut(factor: Factor, inner: Size): readonly [Factor, Factor] | null {
  const [whole, step] = [fixed(factor.size), fixed(inner)]
  if (whole === null || step === null || whole % step !== 0 || factor.kind === 'tokens' || factor.kind === 'batch')
    return null
  if (onPicture(factor) && !same(factor.size, factor.extent) && factor.from !== 0) return null
  const slow = whole / step
  return [
    { ...factor, size: [slow, slow], stride: factor.stride * step },
    { ...factor, size: inner },
  ]
}

/** Neighbours that were one factor become one again. */
function joined(axis: Axis): Axis {
  const result: Factor[] = []
  for (const fast of axis) {
    const slow = result.at(-1)
    const fits =
      slow !== undefined &&
      onPicture(slow) &&
      slow.kind === fast.kind &&
      slow.shift === fast.shift &&
      same(slow.extent, fast.extent) &&
      slow.stride === fast.stride * (fixed(fast.size) ?? Number.NaN)
    if (fits) result.splice(-1, 1, { ...fast, size: times(slow.size, fast.size) })
    else result.push(fast)
  }
  return result
}

/** Takes factors of this size from one end of a queue; null where they do not come out even. */
function take(queue: Factor[], size: Size, end: 'slow' | 'fast'): Axis | null {
  const taken: Factor[] = []
  let missing = size
  while (!isOne(missing)) {
    const factor = end === 'fast' ? queue.pop() : queue.shift()
    if (factor === undefined) return null
    if (divides(factor.size, missing)) {
      missing = over(missing, factor.size)
      if (end === 'fast') taken.unshift(factor)
      else taken.push(factor)
      continue
    }
    if (!divides(missing, factor.size)) return null
    const parts = cut(factor, end === 'fast' ? missing : over(factor.size, missing))
    if (parts === null) return null
    const [slow, fast] = parts
    if (end === 'fast') {
      taken.unshift(fast)
      queue.push(slow)
    } else {
      taken.push(slow)
      queue.unshift(fast)
    }
    missing = ONE
  }
  return joined(taken)
}

/** The same values in the same order under another shape; null where an axis does not come out even. One extent may be unknown. */
export function reshaped(layout: Layout, target: readonly (Size | null)[]): Layout | null {
  const queue = layout.flat()
  const open = target.indexOf(null)
  if (open !== target.lastIndexOf(null)) return null
  const result: Axis[] = []
  for (let axis = target.length - 1; axis > open; axis--) {
    const factors = take(queue, target[axis] ?? ONE, 'fast')
    if (factors === null) return null
    result[axis] = factors
  }
  for (let axis = 0; axis < open; axis++) {
    const factors = take(queue, target[axis] ?? ONE, 'slow')
    if (factors === null) return null
    result[axis] = factors
  }
  if (open >= 0) result[open] = joined(queue)
  else if (queue.length > 0) return null
  return result
}

/** How much an axis says of the picture: of two that meet in a sum, the one that says more is believed. */
export function weight(axis: Axis): number {
  if (gridOf(axis) !== null) return 4
  const [only] = axis
  if (axis.length === 1 && only && onPicture(only) && wholeExtent(axis) !== null) return 4
  if (showsPlaces(axis)) return 2
  return axis.some((one) => one.kind === 'batch') ? 1 : 0
}
