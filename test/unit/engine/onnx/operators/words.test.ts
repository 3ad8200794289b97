/** What rows say in words (`computes`, `keeps`, `bounds`) is what ONNX Runtime does. */
import { describe, expect, test } from 'vitest'
import { floatConstant, intConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type Attribute, type Constant } from '../../../../../lib/engine/onnx/graph/graph.ts'
import type { Computation, Kept } from '../../../../../lib/engine/onnx/operators/operator.ts'
import { OPERATORS } from '../../../../../lib/engine/onnx/operators/table.ts'
import { float32 } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { FLOAT32, relativeDifference } from '../../../../helpers/tolerance.ts'

// x [2, 3], and what stands beside it.
const X = [0.5, 1, 2, 0.25, 3, 1.5]
const BESIDE = [2, 0.5, 4, 1, 0.25, 3]
const int = (value: number): Attribute => ({ kind: 'int', value })

/** An operator on x, on constants behind it, and on what its attributes say. */
async function run(operator: string, constants: readonly Constant[], attributes: Readonly<Record<string, Attribute>>): Promise<readonly number[]> {
  const names = constants.map((_, at) => `c${at}`)
  const model = await loadGraph(graphOf({
    nodes: [node(operator, ['x', ...names], ['made'], attributes), node('Cast', ['made'], ['y'], { to: int(DataType.float) })],
    inputs: [{ name: 'x', type: DataType.float, shape: [2, 3] }],
    outputs: ['y'],
    constants: new Map(names.map((name, at) => [name, constants[at] as Constant])),
  }))
  const { values } = await model.ask({ feeds: { x: float32(Float32Array.from(X), [2, 3]) }, read: ['y'] })
  await model.dispose()
  return Array.from(values['y']?.data ?? [])
} // prettier-ignore

const rowsWith = (word: 'computes' | 'keeps' | 'bounds'): [string, string][] =>
  Object.entries(OPERATORS).flatMap(([operator, row]) => (row[word] === undefined ? [] : [[operator, row[word]]]))

const each = (of: (x: number, beside: number) => number): readonly number[] =>
  X.map((x, at) => of(x, BESIDE[at] ?? NaN))
/** Over the three numbers of each of the two rows. */
const rows = (of: (row: readonly number[]) => readonly number[]): readonly number[] =>
  [X.slice(0, 3), X.slice(3)].flatMap(of)
const total = (row: readonly number[]): number => row.reduce((sum, one) => sum + one, 0)
const exponentials = (row: readonly number[]): readonly number[] => row.map(Math.exp)
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

const beside = [floatConstant(BESIDE, [2, 3])]
const along = [intConstant([1])]
const last = { axis: int(-1) }

/** Computation -> its constants, attributes and result. */
const COMPUTED: Readonly<Record<Computation, readonly [readonly Constant[], Readonly<Record<string, Attribute>>, readonly number[]]>> = {
  sum: [beside, {}, each((x, b) => x + b)],
  difference: [beside, {}, each((x, b) => x - b)],
  product: [beside, {}, each((x, b) => x * b)],
  quotient: [beside, {}, each((x, b) => x / b)],
  power: [beside, {}, each((x, b) => x ** b)],
  inverse: [[], {}, each((x) => 1 / x)],
  negative: [[], {}, each((x) => -x)],
  exponential: [[], {}, each(Math.exp)],
  logarithm: [[], {}, each(Math.log)],
  tanh: [[], {}, each(Math.tanh)],
  sigmoid: [[], {}, each(sigmoid)],
  softplus: [[], {}, each((x) => Math.log1p(Math.exp(x)))],
  softmax: [[], last, rows((row) => exponentials(row).map((one) => one / total(exponentials(row))))],
  'log-softmax': [[], last, rows((row) => row.map((one) => one - Math.log(total(exponentials(row)))))],
  total: [along, {}, rows((row) => [total(row)])],
  'total-of-sizes': [along, {}, rows((row) => [total(row.map(Math.abs))])],
  'log-total-of-exponentials': [along, {}, rows((row) => [Math.log(total(exponentials(row)))])],
  'share-of-norm': [[], { ...last, p: int(1) }, rows((row) => row.map((one) => one / total(row)))],
} // prettier-ignore

describe('computes', () => {
  test.each(rowsWith('computes'))('%s: %s', async (operator, computation) => {
    const [constants, attributes, expected] = COMPUTED[computation as Computation]
    expect(relativeDifference(await run(operator, constants, attributes), expected)).toBeLessThan(FLOAT32)
  })
  test('every word is an operator’s', () => {
    expect(new Set(rowsWith('computes').map(([, word]) => word))).toEqual(new Set(Object.keys(COMPUTED)))
  })
})

/** What an operator is run with that keeps something. */
const BESIDES: Readonly<Record<string, readonly [readonly Constant[], Readonly<Record<string, Attribute>>]>> = {
  Cast: [[], { to: int(DataType.float) }],
  Expand: [[intConstant([2, 2, 3])], {}],
  Reshape: [[intConstant([3, 2])], {}],
  Tile: [[intConstant([1, 2])], {}],
  Unsqueeze: [[intConstant([1])], {}],
}
const sorted = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b)
const LEFT: Readonly<Record<Exclude<Kept, 'rounded'>, (made: readonly number[]) => void>> = {
  order: (made) => expect(made).toEqual(X),
  type: (made) => expect(made).toEqual(X),
  moved: (made) => expect(sorted(made)).toEqual(sorted(X)),
  repeated: (made) => expect(new Set(made)).toEqual(new Set(X)),
}

describe('keeps', () => {
  const kept = rowsWith('keeps').filter(([, word]) => word !== 'rounded')
  test.each(kept)('%s: %s', async (operator, word) => {
    const [constants, attributes] = BESIDES[operator] ?? [[], {}]
    LEFT[word as keyof typeof LEFT](await run(operator, constants, attributes))
  })
  test('rounded: there and back again', async () => {
    const names = rowsWith('keeps').filter(([, word]) => word === 'rounded')
    expect(names.map(([operator]) => operator)).toEqual(['DequantizeLinear', 'QuantizeLinear'])
    const scale = floatConstant([0.25], [])
    const model = await loadGraph(graphOf({
      nodes: [node('QuantizeLinear', ['x', 's'], ['q']), node('DequantizeLinear', ['q', 's'], ['y'])],
      inputs: [{ name: 'x', type: DataType.float, shape: [2, 3] }],
      outputs: ['y'],
      constants: new Map([['s', scale]]),
    }))
    const { values } = await model.ask({ feeds: { x: float32(Float32Array.from(X), [2, 3]) }, read: ['y'] })
    expect(Array.from(values['y']?.data ?? [])).toEqual(X)
    await model.dispose()
  }) // prettier-ignore
})

describe('bounds', () => {
  const [low, high] = [0.75, 1.75]
  const bound = (value: number): Constant => floatConstant([value], [])
  test.each(rowsWith('bounds'))('%s: %s', async (operator, where) => {
    const constants = { below: [bound(low)], above: [bound(high)], both: [bound(low), bound(high)] }[where] ?? []
    const moved = X.map((x) =>
      Math.min(where === 'below' ? Infinity : high, Math.max(where === 'above' ? -Infinity : low, x)),
    )
    expect(await run(operator, constants, {})).toEqual(moved)
  })
})
