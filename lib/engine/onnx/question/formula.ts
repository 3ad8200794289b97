/** Formulas written as nodes. */
import {
  COMPARISONS,
  keyOf,
  type AxisOperation,
  type BinaryOperation,
  type Comparison,
  type Formula,
  type Leaf,
  type Reduction,
  type UnaryOperation,
} from '../../formula.ts'
import type { Builder } from '../graph/builder.ts'
import { DataType } from '../graph/graph.ts'

const BINARY: Readonly<Record<Exclude<BinaryOperation, 'divide'>, string>> = {
  add: 'Add',
  subtract: 'Sub',
  multiply: 'Mul',
  matmul: 'MatMul',
  maximum: 'Max',
  minimum: 'Min',
  greater: 'Greater',
  less: 'Less',
  equal: 'Equal',
}
const UNARY: Readonly<Record<Exclude<UnaryOperation, 'square'>, string>> = {
  relu: 'Relu',
  abs: 'Abs',
  negate: 'Neg',
  sign: 'Sign',
  sqrt: 'Sqrt',
  exp: 'Exp',
  log: 'Log',
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
}
const REDUCTIONS: Readonly<Record<Reduction, string>> = {
  sum: 'ReduceSum',
  mean: 'ReduceMean',
  max: 'ReduceMax',
  min: 'ReduceMin',
}

/** Writes the formula behind what `build` holds and gives the name of its result; equal parts are written once. */
export function writeFormula(build: Builder, formula: Formula, leaf: (leaf: Leaf) => string): string {
  const write = (one: Formula): string => {
    switch (one.kind) {
      case 'number':
        return build.float(one.value)
      case 'unary':
        return once(one, () => {
          const of = write(one.of)
          return one.operation === 'square' ? build.mul(of, of) : build.op(UNARY[one.operation], [of])
        })
      case 'binary':
        return once(one, () => {
          const [left, right] = [write(one.left), write(one.right)]
          if (one.operation === 'divide') return quotient(build, left, right)
          const result = build.op(BINARY[one.operation], [left, right])
          return isComparison(one.operation) ? build.cast(result, DataType.float) : result
        })
      case 'reduce':
        if (one.axes.length === 0) return write(one.of)
        return once(one, () =>
          build.op(REDUCTIONS[one.operation], [write(one.of), build.ints(one.axes)], { keepdims: 1 }),
        )
      case 'along':
        return once(one, () => ALONG[one.operation](build, write(one.of), one.axis))
      case 'where':
        return once(one, () =>
          build.where(build.cast(write(one.condition), DataType.bool), write(one.then), write(one.otherwise)),
        )
      case 'resize':
        return once(one, () => build.op('Resize', [write(one.of), '', '', build.ints(one.size)], RESIZED))
      default:
        return leaf(one)
    }
  }
  const once = (one: Formula, make: () => string): string => build.once(`formula ${keyOf(one)}`, make)
  return write(formula)
}

function isComparison(operation: BinaryOperation): operation is Comparison {
  return COMPARISONS.some((one) => one === operation)
}

/** 0 where the divisor is 0. */
function quotient(build: Builder, dividend: string, divisor: string): string {
  const zero = build.op('Equal', [divisor, build.float(0)])
  return build.where(zero, build.float(0), build.div(dividend, divisor))
}

/** Of the last two axes; the edge is repeated by itself. */
const RESIZED = { axes: [2, 3], mode: 'linear', coordinate_transformation_mode: 'half_pixel' }

const ALONG: Readonly<Record<AxisOperation, (build: Builder, of: string, axis: number) => string>> = {
  softmax: (build, of, axis) => build.op('Softmax', [of], { axis }),
  logSoftmax: (build, of, axis) => build.op('LogSoftmax', [of], { axis }),
  cumulativeSum: (build, of, axis) => build.op('CumSum', [of, build.int(axis)]),
  oneHotArgmax(build, of, axis) {
    // What the runtime's ArgMax makes of NaN depends on where it stands.
    const comparable = build.where(build.op('IsNaN', [of]), build.float(-Infinity), of)
    const first = build.op('ArgMax', [comparable], { axis, keepdims: 1, select_last_index: 0 })
    const filled = (value: number, like: string): string =>
      build.op('Expand', [build.float(value), build.op('Shape', [like])])
    return build.op('ScatterElements', [filled(0, of), first, filled(1, first)], { axis })
  },
}
