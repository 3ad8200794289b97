/** Formulas computed literally, one element after another, in double precision. */
import { everyPlace, stridesOf } from '../tensor/places.ts'
import { float32, sizeOf, type FloatTensor } from '../tensor/tensor.ts'
import {
  keyOf,
  type AxisOperation,
  type BinaryOperation,
  type Formula,
  type Leaf,
  type MapSize,
  type Reduction,
  type UnaryOperation,
} from './formula.ts'
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

/** How many neighbours each number stands for when only the last axes are widened to `dims`: 1 where none is. 0: others are. */
function runOf(of: Values, dims: readonly number[]): number {
  if (of.data.length === 1) return Math.max(1, sizeOf(dims))
  if (of.dims.length !== dims.length) return 0
  const first = of.dims.findIndex((dim, axis) => dim !== dims[axis])
  if (first < 0) return 1
  return of.dims.slice(first).every((dim) => dim === 1) ? sizeOf(dims.slice(first)) : 0
}

function elementwise(left: Values, right: Values, combine: (a: number, b: number) => number): Values {
  const dims = broadcastDims(left.dims, right.dims)
  const data = new Float64Array(sizeOf(dims))
  const [ofLeft, ofRight] = [runOf(left, dims), runOf(right, dims)]
  if (ofLeft > 0 && ofRight > 0) {
    for (let at = 0; at < data.length; at++)
      data[at] = combine(left.data[Math.floor(at / ofLeft)] as number, right.data[Math.floor(at / ofRight)] as number)
    return { dims, data }
  }
  everyPlace(dims, [stridesOf(left.dims, dims.length), stridesOf(right.dims, dims.length)], (place, offsets) => {
    data[place] = combine(left.data[offsets[0] as number] as number, right.data[offsets[1] as number] as number)
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
  const [from, to] = [Math.min(...axes), Math.max(...axes) + 1]
  if (axes.length > 0 && to - from === new Set(axes).size) {
    // Neighbouring axes: what is folded into one number lies evenly, and is met in the same order.
    const [folded, behind] = [sizeOf(of.dims.slice(from, to)), sizeOf(of.dims.slice(to))]
    for (let place = 0, before = 0; place < of.data.length; before += behind)
      for (let fold = 0; fold < folded; fold++)
        for (let target = before; target < before + behind; target++)
          data[target] = step(data[target] as number, of.data[place++] as number)
  } else
    everyPlace(of.dims, [stridesOf(dims, dims.length)], (place, offsets) => {
      const target = offsets[0] as number
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

function chosen(condition: Values, then: Values, otherwise: Values): Values {
  const dims = broadcastDims(condition.dims, broadcastDims(then.dims, otherwise.dims))
  const data = new Float64Array(sizeOf(dims))
  const strides = [condition, then, otherwise].map((one) => stridesOf(one.dims, dims.length))
  everyPlace(dims, strides, (place, [c = 0, a = 0, b = 0]) => {
    data[place] = (condition.data[c] !== 0 ? then.data[a] : otherwise.data[b]) as number
  })
  return { dims, data }
}

/** Two neighbours along an axis of `cells` and the share of the second, for each of `size` places. */
function neighbours(cells: number, size: number): readonly (readonly [number, number, number])[] {
  return Array.from({ length: size }, (_, at) => {
    const position = Math.min(Math.max(((at + 0.5) * cells) / size - 0.5, 0), cells - 1)
    const low = Math.floor(position)
    return [low, Math.min(low + 1, cells - 1), position - low]
  })
}

function resized(of: Values, [height, width]: MapSize): Values {
  const [rows = 1, columns = 1] = of.dims.slice(2)
  const dims = [...of.dims.slice(0, 2), height, width]
  const data = new Float64Array(sizeOf(dims))
  const [down, across] = [neighbours(rows, height), neighbours(columns, width)]
  const cell = (map: number, row: number, column: number): number =>
    of.data[(map * rows + row) * columns + column] as number
  for (let map = 0; map < sizeOf(dims.slice(0, 2)); map++)
    down.forEach(([top, bottom, v], y) => {
      across.forEach(([left, right, u], x) => {
        const above = (1 - u) * cell(map, top, left) + u * cell(map, top, right)
        const below = (1 - u) * cell(map, bottom, left) + u * cell(map, bottom, right)
        data[(map * height + y) * width + x] = (1 - v) * above + v * below
      })
    })
  return { dims, data }
}

/** Parts that formulas of the same leaves have in common are computed once, as long as there is room for them. */
export class ComputedParts {
  readonly #kept = new Map<string, Values>()
  #room: number

  /** @param room numbers kept at most */
  constructor(room: number) {
    this.#room = room
  }
  of(formula: Formula, compute: () => Values): Values {
    const key = keyOf(formula)
    const known = this.#kept.get(key)
    if (known !== undefined) return known
    const values = compute()
    if (values.data.length <= this.#room) {
      this.#kept.set(key, values)
      this.#room -= values.data.length
    }
    return values
  }
}

const isLeaf = ({ kind }: Formula): boolean =>
  kind === 'number' || kind === 'value' || kind === 'gradient' || kind === 'given'

function evaluate(formula: Formula, leaf: (leaf: Leaf) => FloatTensor, parts: ComputedParts | null): Values {
  if (parts === null || isLeaf(formula)) return computed(formula, leaf, parts)
  return parts.of(formula, () => computed(formula, leaf, parts))
}

function computed(formula: Formula, leaf: (leaf: Leaf) => FloatTensor, parts: ComputedParts | null): Values {
  const part = (of: Formula): Values => evaluate(of, leaf, parts)
  switch (formula.kind) {
    case 'number':
      return { dims: [], data: [Math.fround(formula.value)] }
    case 'unary': {
      const of = part(formula.of)
      const [data, compute] = [new Float64Array(of.data.length), UNARY[formula.operation]]
      for (let at = 0; at < data.length; at++) data[at] = compute(of.data[at] as number)
      return { dims: of.dims, data }
    }
    case 'binary': {
      const [left, right] = [part(formula.left), part(formula.right)]
      return formula.operation === 'matmul'
        ? product(left, right)
        : elementwise(left, right, ELEMENTWISE[formula.operation])
    }
    case 'reduce':
      return reduced(part(formula.of), formula.axes, formula.operation)
    case 'along':
      return along(part(formula.of), formula.axis, ALONG[formula.operation])
    case 'where':
      return chosen(part(formula.condition), part(formula.then), part(formula.otherwise))
    case 'resize':
      return resized(part(formula.of), formula.size)
    default:
      return leaf(formula)
  }
}

/**
 * The value of a formula.
 * @param parts of formulas of the very same leaves, which are computed once; left out: each is computed where it stands
 * @throws AppError BAD_INPUT where shapes do not fit.
 */
export function interpret(
  formula: Formula,
  leaf: (leaf: Leaf) => FloatTensor,
  parts: ComputedParts | null = null,
): FloatTensor {
  dimsOf(formula, (one) => leaf(one).dims)
  const { dims, data } = evaluate(formula, leaf, parts)
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
