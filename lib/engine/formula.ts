/**
 * Arithmetic that a question has done where its tensors are. A method's formula is data: the engine computes it in the same
 * run, so that a map of H x W numbers comes back instead of C x H x W activations and as many gradients, and a batch of
 * inputs is made from what its rows share.
 *
 * Shapes broadcast as in NumPy, aligned at the last axis. Sums are made in float32 by ONNX Runtime, in double precision by
 * the interpreter (`interpret.ts`), which is also what tests hold the other one against.
 */
import { AppError } from '../errors.ts'
import type { TapId } from './tap-id.ts'

export const BINARY_OPERATIONS = ['add', 'subtract', 'multiply', 'divide', 'matmul'] as const
export const UNARY_OPERATIONS = ['relu', 'abs'] as const
export const REDUCTIONS = ['sum', 'mean', 'max', 'min'] as const
export type BinaryOperation = (typeof BINARY_OPERATIONS)[number]
export type UnaryOperation = (typeof UNARY_OPERATIONS)[number]
export type Reduction = (typeof REDUCTIONS)[number]

export type Formula =
  /** The value of a tap. */
  | { readonly kind: 'value'; readonly tap: TapId }
  /** The gradient at a tap, of the scalar that the question states. */
  | { readonly kind: 'gradient'; readonly tap: TapId }
  /** A tensor that the question gives under this name. */
  | { readonly kind: 'given'; readonly name: string }
  | { readonly kind: 'number'; readonly value: number }
  /** `divide` is 0 where the divisor is 0; `matmul` multiplies the last two axes and broadcasts the others. */
  | { readonly kind: 'binary'; readonly operation: BinaryOperation; readonly left: Formula; readonly right: Formula }
  | { readonly kind: 'unary'; readonly operation: UnaryOperation; readonly of: Formula }
  /** Over axes counted from 0, which stay with extent 1. */
  | { readonly kind: 'reduce'; readonly operation: Reduction; readonly of: Formula; readonly axes: readonly number[] }

export const value = (tap: TapId): Formula => ({ kind: 'value', tap })
export const gradient = (tap: TapId): Formula => ({ kind: 'gradient', tap })
export const given = (name: string): Formula => ({ kind: 'given', name })

const termOf = (term: Formula | number): Formula => (typeof term === 'number' ? { kind: 'number', value: term } : term)
const binary =
  (operation: BinaryOperation) =>
  (left: Formula | number, right: Formula | number): Formula => ({
    kind: 'binary',
    operation,
    left: termOf(left),
    right: termOf(right),
  })
export const add = binary('add')
export const subtract = binary('subtract')
export const multiply = binary('multiply')
export const divide = binary('divide')
export const matmul = binary('matmul')

const unary =
  (operation: UnaryOperation) =>
  (of: Formula): Formula => ({ kind: 'unary', operation, of })
export const relu = unary('relu')
export const abs = unary('abs')

const reduction =
  (operation: Reduction) =>
  (of: Formula, axes: readonly number[]): Formula => ({ kind: 'reduce', operation, of, axes })
export const sum = reduction('sum')
export const mean = reduction('mean')
export const max = reduction('max')
export const min = reduction('min')

export type Leaf = Extract<Formula, { kind: 'value' | 'gradient' | 'given' }>

/** The tensors that a formula reads, in order. */
export function leavesOf(formula: Formula): readonly Leaf[] {
  switch (formula.kind) {
    case 'number':
      return []
    case 'binary':
      return [...leavesOf(formula.left), ...leavesOf(formula.right)]
    case 'unary':
    case 'reduce':
      return leavesOf(formula.of)
    default:
      return [formula]
  }
}

function mismatch(message: string): AppError {
  return new AppError({ code: 'BAD_INPUT', message: `The formula does not fit its tensors: ${message}.` })
}

/** @throws AppError BAD_INPUT where two shapes do not broadcast. */
export function broadcastDims(left: readonly number[], right: readonly number[]): number[] {
  const rank = Math.max(left.length, right.length)
  return Array.from({ length: rank }, (_, axis) => {
    const a = left[axis - rank + left.length] ?? 1
    const b = right[axis - rank + right.length] ?? 1
    if (a !== b && a !== 1 && b !== 1)
      throw mismatch(`[${left.join(', ')}] and [${right.join(', ')}] have no common shape`)
    return a === 1 ? b : a
  })
}

/** @throws AppError BAD_INPUT where the shapes are no matrices that can be multiplied. */
export function matmulDims(left: readonly number[], right: readonly number[]): number[] {
  const [rows, inner] = left.slice(-2)
  const [others, columns] = right.slice(-2)
  if (left.length < 2 || right.length < 2 || rows === undefined || columns === undefined || inner !== others)
    throw mismatch(`[${left.join(', ')}] cannot be multiplied with [${right.join(', ')}]`)
  return [...broadcastDims(left.slice(0, -2), right.slice(0, -2)), rows, columns]
}

/** The shape of a formula's result. @throws AppError BAD_INPUT where shapes do not fit. */
export function dimsOf(formula: Formula, leaf: (leaf: Leaf) => readonly number[]): readonly number[] {
  switch (formula.kind) {
    case 'number':
      return []
    case 'unary':
      return dimsOf(formula.of, leaf)
    case 'binary': {
      const [left, right] = [dimsOf(formula.left, leaf), dimsOf(formula.right, leaf)]
      return formula.operation === 'matmul' ? matmulDims(left, right) : broadcastDims(left, right)
    }
    case 'reduce': {
      const dims = dimsOf(formula.of, leaf)
      const beyond = formula.axes.find((axis) => !(axis in dims))
      if (beyond !== undefined) throw mismatch(`[${dims.join(', ')}] has no axis ${beyond}`)
      return dims.map((dim, axis) => (formula.axes.includes(axis) ? 1 : dim))
    }
    default:
      return leaf(formula)
  }
}
