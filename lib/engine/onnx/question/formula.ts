/** Formulas written as nodes. */
import type { BinaryOperation, Formula, Leaf, Reduction, UnaryOperation } from '../../formula.ts'
import type { Builder } from '../graph/builder.ts'

const BINARY: Readonly<Record<Exclude<BinaryOperation, 'divide'>, string>> = {
  add: 'Add',
  subtract: 'Sub',
  multiply: 'Mul',
  matmul: 'MatMul',
}
const UNARY: Readonly<Record<UnaryOperation, string>> = { relu: 'Relu', abs: 'Abs' }
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
        return once(one, () => build.op(UNARY[one.operation], [write(one.of)]))
      case 'binary':
        return once(one, () => {
          const [left, right] = [write(one.left), write(one.right)]
          return one.operation === 'divide'
            ? quotient(build, left, right)
            : build.op(BINARY[one.operation], [left, right])
        })
      case 'reduce':
        if (one.axes.length === 0) return write(one.of)
        return once(one, () =>
          build.op(REDUCTIONS[one.operation], [write(one.of), build.ints(one.axes)], { keepdims: 1 }),
        )
      default:
        return leaf(one)
    }
  }
  const once = (one: Formula, make: () => string): string => build.once(`formula ${JSON.stringify(one)}`, make)
  return write(formula)
}

/** 0 where the divisor is 0. */
function quotient(build: Builder, dividend: string, divisor: string): string {
  const zero = build.op('Equal', [divisor, build.float(0)])
  return build.where(zero, build.float(0), build.div(dividend, divisor))
}
