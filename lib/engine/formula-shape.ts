/** Which shapes formulas take and make; extents that are known only when the model runs are null. */
import { AppError } from '../errors.ts'
import type { Formula, Leaf, MapSize } from './formula.ts'

/** Extents of which some may be unknown. */
export type Extents = readonly (number | null)[]

function inBrackets(dims: Extents): string {
  return `[${dims.map((dim) => dim ?? '?').join(', ')}]`
}

function mismatch(message: string): AppError {
  return new AppError({ code: 'BAD_INPUT', message: `The formula does not fit its tensors: ${message}.` })
}

/** An unknown extent takes the other one's, where that is not 1. @throws AppError BAD_INPUT where two shapes do not broadcast. */
export function broadcastDims<Dim extends number | null>(left: readonly Dim[], right: readonly Dim[]): (Dim | 1)[] {
  const rank = Math.max(left.length, right.length)
  return Array.from({ length: rank }, (_, axis) => {
    const a = axis < rank - left.length ? 1 : (left[axis - rank + left.length] as Dim)
    const b = axis < rank - right.length ? 1 : (right[axis - rank + right.length] as Dim)
    if (a !== b && a !== 1 && b !== 1 && a !== null && b !== null)
      throw mismatch(`${inBrackets(left)} and ${inBrackets(right)} have no common shape`)
    if (a === null && b === 1) return a
    return a === 1 || a === null ? b : a
  })
}

/** @throws AppError BAD_INPUT where the shapes are no matrices that can be multiplied. */
export function matmulDims<Dim extends number | null>(left: readonly Dim[], right: readonly Dim[]): (Dim | 1)[] {
  const [rows, inner] = left.slice(-2)
  const [others, columns] = right.slice(-2)
  const fit = inner === others || inner === null || others === null
  if (left.length < 2 || right.length < 2 || rows === undefined || columns === undefined || !fit)
    throw mismatch(`${inBrackets(left)} cannot be multiplied with ${inBrackets(right)}`)
  return [...broadcastDims(left.slice(0, -2), right.slice(0, -2)), rows, columns]
}

/**
 * The shape of a formula's result; null where its rank is unknown, as that of a leaf may be.
 * @throws AppError BAD_INPUT where shapes do not fit.
 */
export function dimsOf(formula: Formula, leaf: (leaf: Leaf) => Extents | null): Extents | null {
  switch (formula.kind) {
    case 'number':
      return []
    case 'unary':
      return dimsOf(formula.of, leaf)
    case 'binary': {
      const [left, right] = [dimsOf(formula.left, leaf), dimsOf(formula.right, leaf)]
      if (left === null || right === null) return null
      return formula.operation === 'matmul' ? matmulDims(left, right) : broadcastDims(left, right)
    }
    case 'reduce': {
      const dims = withAxes(dimsOf(formula.of, leaf), formula.axes)
      return dims && dims.map((dim, axis) => (formula.axes.includes(axis) ? 1 : dim))
    }
    case 'along':
      return withAxes(dimsOf(formula.of, leaf), [formula.axis])
    case 'where': {
      const [condition, then, otherwise] = [formula.condition, formula.then, formula.otherwise].map((one) =>
        dimsOf(one, leaf),
      )
      if (!condition || !then || !otherwise) return null
      return broadcastDims(condition, broadcastDims(then, otherwise))
    }
    case 'resize':
      return resizedDims(dimsOf(formula.of, leaf), formula.size)
    default:
      return leaf(formula)
  }
}

function resizedDims(dims: Extents | null, size: MapSize): Extents | null {
  if (size.some((extent) => !Number.isInteger(extent) || extent < 1))
    throw mismatch(`a map cannot be resized to ${inBrackets(size)}`)
  if (dims === null) return null
  if (dims.length !== 4) throw mismatch(`${inBrackets(dims)} is no map [N, C, H, W] to be resized`)
  return [...dims.slice(0, 2), ...size]
}

/** The same shape. @throws AppError BAD_INPUT where it has not all of these axes. */
function withAxes(dims: Extents | null, axes: readonly number[]): Extents | null {
  const beyond = dims && axes.find((axis) => !(axis in dims))
  if (dims !== null && typeof beyond === 'number') throw mismatch(`${inBrackets(dims)} has no axis ${beyond}`)
  return dims
}

/** @throws AppError BAD_INPUT where a tensor of shape `dims` cannot be widened to `target`, so far as both are known. */
export function checkWidens(what: string, dims: Extents, target: Extents): void {
  const lead = target.length - dims.length
  const widens = dims.every((dim, axis) => {
    const wanted = target[axis + lead]
    return dim === null || dim === 1 || wanted === null || dim === wanted
  })
  if (lead < 0 || !widens)
    throw new AppError({
      code: 'BAD_INPUT',
      message: `${what} must widen to the shape ${inBrackets(target)}, found ${inBrackets(dims)}.`,
    })
}
