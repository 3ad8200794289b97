/** Formulas computed literally, one element after another, in double precision. */
import { float32, sizeOf, type FloatTensor } from '../tensor/tensor.ts'
import type { AxisOperation, BinaryOperation, Formula, Leaf, Reduction, UnaryOperation } from './formula.ts'
import { broadcastDims, dimsOf, matmulDims } from './formula-shape.ts'

interface Values {
  readonly dims: readonly number[]
  readonly data: ArrayLike<number>
}

const ELEMENTWISE: Readonly<Record<Exclude<BinaryOperation, 'matmul'>, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => (b === 0 ? 0 : a / b),
  maximum: Math.max,
  minimum: Math.min,
  greater: (a, b) => Number(a > b),
  less: (a, b) => Number(a < b),
  equal: (a, b) => Number(a === b),
}
const UNARY: Readonly<Record<UnaryOperation, (a: number) => number>> = {
  // Not a > 0 ? a : 0, which would make 0 of NaN.
  relu: (a) => (a < 0 ? 0 : a),
  abs: Math.abs,
  negate: (a) => -a,
  sign: Math.sign,
  square: (a) => a * a,
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  tanh: Math.tanh,
}
const FOLDS: Readonly<Record<Reduction, { readonly start: number; readonly step: (a: number, b: number) => number }>> =
  {
    sum: { start: 0, step: (a, b) => a + b },
    mean: { start: 0, step: (a, b) => a + b },
    max: { start: -Infinity, step: Math.max },
    min: { start: Infinity, step: Math.min },
  }

/** The values along one axis -> as many. */
const ALONG: Readonly<Record<AxisOperation, (line: Float64Array) => ArrayLike<number>>> = {
  softmax: (line) => logSoftmax(line).map(Math.exp),
  logSoftmax,
  cumulativeSum(line) {
    let total = 0
    return line.map((one) => (total += one))
  },
  oneHotArgmax(line) {
    const comparable = line.map((one) => (Number.isNaN(one) ? -Infinity : one))
    const first = comparable.indexOf(comparable.reduce(larger, -Infinity))
    return line.map((_, at) => Number(at === first))
  },
}

const larger = (a: number, b: number): number => Math.max(a, b)

function logSoftmax(line: Float64Array): Float64Array {
  const largest = line.reduce(larger, -Infinity)
  const total = line.reduce((sum, one) => sum + Math.exp(one - largest), 0)
  return line.map((one) => one - largest - Math.log(total))
}

/** How far apart neighbours along each axis of `dims` lie, aligned to `rank` axes; 0 along axes that are widened. */
function stridesOf(dims: readonly number[], rank: number): number[] {
  const strides = new Array<number>(rank).fill(0)
  let step = 1
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    const dim = dims[axis] ?? 1
    if (dim !== 1) strides[axis + rank - dims.length] = step
    step *= dim
  }
  return strides
}

/** Calls `visit` for every place of `dims`, in order, with the offsets that several strides give it. */
function everyPlace(
  dims: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (place: number, offsets: readonly number[]) => void,
): void {
  const index = dims.map(() => 0)
  const offsets = strides.map(() => 0)
  const size = sizeOf(dims)
  for (let place = 0; place < size; place++) {
    visit(place, offsets)
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const extent = dims[axis] ?? 1
      const wraps = (index[axis] ?? 0) + 1 === extent
      index[axis] = wraps ? 0 : (index[axis] ?? 0) + 1
      strides.forEach((stride, which) => {
        offsets[which] = (offsets[which] ?? 0) + (stride[axis] ?? 0) * (wraps ? 1 - extent : 1)
      })
      if (!wraps) break
    }
  }
}

function elementwise(left: Values, right: Values, combine: (a: number, b: number) => number): Values {
  const dims = broadcastDims(left.dims, right.dims)
  const data = new Float64Array(sizeOf(dims))
  everyPlace(dims, [stridesOf(left.dims, dims.length), stridesOf(right.dims, dims.length)], (place, [a = 0, b = 0]) => {
    data[place] = combine(left.data[a] as number, right.data[b] as number)
  })
  return { dims, data }
}

function product(left: Values, right: Values): Values {
  const dims = matmulDims(left.dims, right.dims)
  const [inner = 0, columns = 0] = right.dims.slice(-2)
  const lead = dims.slice(0, -2)
  const rows = dims.at(-2) ?? 0
  const data = new Float64Array(sizeOf(dims))
  const blocks = (dims: readonly number[]): number[] => stridesOf(dims.slice(0, -2), lead.length)
  everyPlace(lead, [blocks(left.dims), blocks(right.dims)], (block, [a = 0, b = 0]) => {
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        let total = 0
        for (let k = 0; k < inner; k++)
          total +=
            (left.data[(a * rows + row) * inner + k] as number) *
            (right.data[(b * inner + k) * columns + column] as number)
        data[(block * rows + row) * columns + column] = total
      }
  })
  return { dims, data }
}

function reduced(of: Values, axes: readonly number[], operation: Reduction): Values {
  const dims = of.dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
  const { start, step } = FOLDS[operation]
  const data = new Float64Array(sizeOf(dims)).fill(start)
  everyPlace(of.dims, [stridesOf(dims, dims.length)], (place, [target = 0]) => {
    data[target] = step(data[target] as number, of.data[place] as number)
  })
  const count = axes.reduce((counted, axis) => counted * (of.dims[axis] ?? 1), 1)
  return { dims, data: operation === 'mean' ? data.map((total) => total / count) : data }
}

function along(of: Values, axis: number, compute: (line: Float64Array) => ArrayLike<number>): Values {
  const { dims } = of
  const extent = dims[axis] ?? 1
  const step = sizeOf(dims.slice(axis + 1))
  const data = new Float64Array(sizeOf(dims))
  everyPlace(dims.with(axis, 1), [stridesOf(dims, dims.length)], (_, [start = 0]) => {
    const line = Float64Array.from({ length: extent }, (_unused, at) => of.data[start + at * step] as number)
    const computed = compute(line)
    for (let at = 0; at < extent; at++) data[start + at * step] = computed[at] as number
  })
  return { dims, data }
}

function evaluate(formula: Formula, leaf: (leaf: Leaf) => FloatTensor): Values {
  switch (formula.kind) {
    case 'number':
      return { dims: [], data: [Math.fround(formula.value)] }
    case 'unary': {
      const { dims, data } = evaluate(formula.of, leaf)
      return { dims, data: Float64Array.from(data, UNARY[formula.operation]) }
    }
    case 'binary': {
      const [left, right] = [evaluate(formula.left, leaf), evaluate(formula.right, leaf)]
      return formula.operation === 'matmul'
        ? product(left, right)
        : elementwise(left, right, ELEMENTWISE[formula.operation])
    }
    case 'reduce':
      return reduced(evaluate(formula.of, leaf), formula.axes, formula.operation)
    case 'along':
      return along(evaluate(formula.of, leaf), formula.axis, ALONG[formula.operation])
    default:
      return leaf(formula)
  }
}

/**
 * The value of a formula.
 * @throws AppError BAD_INPUT where shapes do not fit.
 */
export function interpret(formula: Formula, leaf: (leaf: Leaf) => FloatTensor): FloatTensor {
  dimsOf(formula, (one) => leaf(one).dims)
  const { dims, data } = evaluate(formula, leaf)
  return float32(Float32Array.from(data), dims)
}

/** A tensor repeated along axes that it lacks or has with extent 1, to a shape that it widens to. */
export function widened(tensor: FloatTensor, dims: readonly number[]): FloatTensor {
  const data = new Float32Array(sizeOf(dims))
  everyPlace(dims, [stridesOf(tensor.dims, dims.length)], (place, [from = 0]) => {
    data[place] = tensor.data[from] as number
  })
  return float32(data, dims)
}
