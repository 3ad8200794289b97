/**
 * Arithmetic that a question has done where its tensors are. A method's formula is data: the engine computes it in the same
 * run, so that a map of H x W numbers comes back instead of C x H x W activations and as many gradients, and a batch of
 * inputs is made from what its rows share.
 *
 * Shapes broadcast as in NumPy, aligned at the last axis (`formula-shape.ts`); axes are counted from 0. Sums are made in
 * float32 by ONNX Runtime, in double precision by the interpreter (`interpret.ts`), which is also what tests hold the other
 * one against. Where a value is none, both say the same:
 * - `divide` is 0 where the divisor is 0; `log` of 0 is -infinity; `log` and `sqrt` of less than 0 are NaN.
 * - NaN goes on through everything but comparisons, where it is 0 (NaN is not equal to NaN either), `where`, which takes
 *   `then` for it, and `oneHotArgmax`, which never chooses it beside a number.
 * - `softmax` and `logSoftmax` do not overflow; of -infinity they are 0 and -infinity, and NaN all along an axis that holds
 *   +infinity, or nothing but -infinity.
 */
import type { TapId } from './tap-id.ts'

/** Of two terms, place by place; a comparison is 1 where it holds and 0 where not. */
export const COMPARISONS = ['greater', 'less', 'equal'] as const
export const BINARY_OPERATIONS = [
  'add',
  'subtract',
  'multiply',
  'divide',
  'maximum',
  'minimum',
  'matmul',
  ...COMPARISONS,
] as const
export const UNARY_OPERATIONS = [
  'relu',
  'abs',
  'negate',
  'sign',
  'square',
  'sqrt',
  'exp',
  'log',
  'sigmoid',
  'tanh',
] as const
export const REDUCTIONS = ['sum', 'mean', 'max', 'min'] as const
export const AXIS_OPERATIONS = ['softmax', 'logSoftmax', 'cumulativeSum', 'oneHotArgmax'] as const
export type Comparison = (typeof COMPARISONS)[number]
export type BinaryOperation = (typeof BINARY_OPERATIONS)[number]
export type UnaryOperation = (typeof UNARY_OPERATIONS)[number]
export type Reduction = (typeof REDUCTIONS)[number]
export type AxisOperation = (typeof AXIS_OPERATIONS)[number]

/** [H, W] */
export type MapSize = readonly [number, number]

export type Formula =
  /** The value of a tap. */
  | { readonly kind: 'value'; readonly tap: TapId }
  /** The gradient at a tap, of the scalar that the question states. */
  | { readonly kind: 'gradient'; readonly tap: TapId }
  /** A tensor that the question gives under this name. */
  | { readonly kind: 'given'; readonly name: string }
  | { readonly kind: 'number'; readonly value: number }
  /** `matmul` multiplies the last two axes and broadcasts the others. */
  | { readonly kind: 'binary'; readonly operation: BinaryOperation; readonly left: Formula; readonly right: Formula }
  | { readonly kind: 'unary'; readonly operation: UnaryOperation; readonly of: Formula }
  /** Over axes that stay with extent 1. */
  | { readonly kind: 'reduce'; readonly operation: Reduction; readonly of: Formula; readonly axes: readonly number[] }
  /** Along one axis, in the same shape. */
  | { readonly kind: 'along'; readonly operation: AxisOperation; readonly of: Formula; readonly axis: number }
  /** Place by place: `then` where the condition is not 0. */
  | { readonly kind: 'where'; readonly condition: Formula; readonly then: Formula; readonly otherwise: Formula }
  /** A map [N, C, h, w] enlarged or reduced to [N, C, H, W]. */
  | { readonly kind: 'resize'; readonly of: Formula; readonly size: MapSize }

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
export const maximum = binary('maximum')
export const minimum = binary('minimum')
export const greater = binary('greater')
export const less = binary('less')
export const equal = binary('equal')

const unary =
  (operation: UnaryOperation) =>
  (of: Formula): Formula => ({ kind: 'unary', operation, of })
export const relu = unary('relu')
export const abs = unary('abs')
export const negate = unary('negate')
/** -1, 0 or 1. */
export const sign = unary('sign')
export const square = unary('square')
export const sqrt = unary('sqrt')
export const exp = unary('exp')
export const log = unary('log')
export const sigmoid = unary('sigmoid')
export const tanh = unary('tanh')

const reduction =
  (operation: Reduction) =>
  (of: Formula, axes: readonly number[]): Formula => ({ kind: 'reduce', operation, of, axes })
export const sum = reduction('sum')
export const mean = reduction('mean')
export const max = reduction('max')
export const min = reduction('min')

const along =
  (operation: AxisOperation) =>
  (of: Formula, axis: number): Formula => ({ kind: 'along', operation, of, axis })
export const softmax = along('softmax')
export const logSoftmax = along('logSoftmax')
/** Each place with the sum of those up to it, itself among them. */
export const cumulativeSum = along('cumulativeSum')
/** 1 at the largest value along the axis, at the first of several such, and 0 elsewhere: exactly one 1. */
export const oneHotArgmax = along('oneHotArgmax')

export const where = (condition: Formula, then: Formula | number, otherwise: Formula | number): Formula => ({
  kind: 'where',
  condition,
  then: termOf(then),
  otherwise: termOf(otherwise),
})
/** Bilinear between the centres of cells, repeated outside of them (torch's interpolate with align_corners=False). */
export const resize = (of: Formula, size: MapSize): Formula => ({ kind: 'resize', of, size })

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
    case 'along':
    case 'resize':
      return leavesOf(formula.of)
    case 'where':
      return [formula.condition, formula.then, formula.otherwise].flatMap(leavesOf)
    default:
      return [formula]
  }
}

/** A text that two formulas share only where they are the same: JSON itself has neither infinity nor NaN. */
export function keyOf(formulas: unknown): string {
  return JSON.stringify(formulas, (_, part: unknown) =>
    typeof part === 'number' && !Number.isFinite(part) ? String(part) : part,
  )
}
