/** Every gradient rule: finite differences, PyTorch's gradient, batch 1 and 3, the stated subgradient at special points. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { DECOMPOSITIONS } from '../../../../../lib/engine/onnx/prepare/decompose.ts'
import { PLAIN } from '../../../../../lib/engine/onnx/gradient/bending.ts'
import { differentiate } from '../../../../../lib/engine/onnx/gradient/differentiate.ts'
import { DataType, type Graph } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { prepareGraph } from '../../../../../lib/engine/onnx/prepare/prepare-graph.ts'
import { readModel } from '../../../../../lib/engine/onnx/file/read-model.ts'
import { OPERATORS } from '../../../../../lib/engine/onnx/operators/table.ts'
import { writeModel } from '../../../../../lib/engine/onnx/file/write-model.ts'
import { float32, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import type { Row } from '../../../../fixtures/onnx/operator-rows.ts'
import { POSITIONS, ROWS } from '../../../../fixtures/onnx/rows.ts'
import { checkBatches } from '../../../../helpers/check-batches.ts'
import { checkGradient } from '../../../../helpers/check-gradient.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { cotangentFor, rowCase, rowGraph, type Extents, type RowCase } from '../../../../helpers/row-model.ts'
import { FINITE_DIFFERENCE, FLOAT32, relativeDifference } from '../../../../helpers/tolerance.ts'

/** JSON has no infinities: they are written as their names. */
type Written = readonly (number | string)[]
interface Golden {
  readonly output: Written
  readonly gradients: Readonly<Record<string, Written>>
}
const goldens = JSON.parse(
  readFileSync(new URL('../../../../fixtures/onnx/operator-goldens.json', import.meta.url), 'utf8'),
) as { readonly rows: Readonly<Record<string, Golden>> }
const numbersOf = (written: Written = []): number[] => written.map(Number)

const keyOf = (row: Row): string => (row.domain ? `${row.domain}:${row.operator}` : row.operator)
// Quantised operators are not smooth, and PyTorch has no gradient of them: quantised.test.ts compares them with the float
// operators they stand for.
const rules = Object.entries(OPERATORS).flatMap(([key, { rule }]) => (rule ? [[key, rule] as const] : []))
const smooth = [...rules.flatMap(([key, rule]) => (rule.carriesIntegers ? [] : [key])), ...Object.keys(DECOMPOSITIONS)]
const without = (holds: (row: Row) => boolean): string[] => {
  const keys = new Set(ROWS.filter(holds).map(keyOf))
  return smooth.filter((key) => !keys.has(key))
}

test('every rule has a row, every golden a row', () => {
  expect(without(() => true)).toEqual([])
  const names = ROWS.map((row) => row.name)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  expect(Object.keys(goldens.rows).filter((name) => !names.includes(name))).toEqual([])
})

test('every rule has a smooth row with a golden, every row a golden or the reason why PyTorch has none', () => {
  expect(without((row) => row.expected === undefined && goldens.rows[row.name] !== undefined)).toEqual([])
  const lacking = ROWS.filter((row) => (goldens.rows[row.name] === undefined) !== (row.noTorch !== undefined))
  expect(lacking.map(({ name }) => name)).toEqual([])
})

/** Rules of which no row can have a batch axis: ScatterND's places name the row themselves. */
const WITHOUT_BATCH: readonly string[] = ['ScatterND']

test('every rule is asked at batch 1 and 3', () => {
  expect(without((row) => row.batch.length > 0)).toEqual(WITHOUT_BATCH)
})

/** Rules without kink, tie, pole or limit of their own: linear ones, and what a decomposition writes out for other rules. */
const WITHOUT_SPECIAL_POINTS: ReadonlySet<string> = new Set(
  [
    'Add AveragePool BatchNormalization Cast Concat Conv ConvTranspose Cos CumSum DepthToSpace Dropout Einsum Expand Flatten',
    'Gather GatherElements GatherND Gemm GlobalAveragePool GroupNormalization Identity InstanceNormalization LRN',
    'LayerNormalization MatMul Mean MeanVarianceNormalization Neg Pad RMSNormalization ReduceMean ReduceSum Reshape Resize',
    'ScatterElements ScatterND Sin Slice SpaceToDepth Split Squeeze Sub Sum Tan Tile Transpose Trilu Unsqueeze',
    ...Object.keys(DECOMPOSITIONS),
  ].flatMap((names) => names.split(' ')),
)

test('every other rule has a row at its special points', () => {
  const lacking = without((row) => row.expected !== undefined)
  expect(lacking.filter((key) => !WITHOUT_SPECIAL_POINTS.has(key))).toEqual([])
  expect([...WITHOUT_SPECIAL_POINTS].filter((key) => !lacking.includes(key))).toEqual([])
})

/** In which of the positions an operand is narrower than the result. */
function positionsOf(operand: readonly number[], result: readonly number[]): string[] {
  if (operand.length === 0) return result.length > 0 ? ['scalar'] : []
  if (operand.length < result.length) return ['leading axes missing']
  const widened = (axis: number): boolean => operand[axis] === 1 && (result[axis] ?? 1) > 1
  return [
    ...(widened(0) ? ['leading 1'] : []),
    ...(operand.slice(1, -1).some((_, axis) => widened(axis + 1)) ? ['middle 1'] : []),
    ...(widened(operand.length - 1) ? ['last 1'] : []),
  ]
}
const dimsOf = (row: Row): (readonly number[])[] =>
  row.inputs.flatMap((input) =>
    input.kind === 'none' ? [] : [input.kind === 'constant' ? input.value.dims : input.dims],
  )
function resultOf(operands: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...operands.map((dims) => dims.length))
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(...operands.map((dims) => dims[dims.length - rank + axis] ?? 1)),
  )
}

/** Operands that are never the narrow one: ONNX widens PRelu's slope to x, not x to the slope. */
const NEVER_NARROW: Readonly<Record<string, readonly number[]>> = { PRelu: [0] }
const broadcasting = rules.flatMap(([key, rule]) => (rule.broadcast ? [key] : []))

test.each(broadcasting)('%s is broadcast in every position of every operand', (key) => {
  const rows = ROWS.filter((row) => keyOf(row) === key).map(dimsOf)
  const seen = new Set(
    rows.flatMap((operands) =>
      operands.flatMap((dims, index) => positionsOf(dims, resultOf(operands)).map((one) => `${index} ${one}`)),
    ),
  )
  const operands = [...Array(key === 'Where' ? 3 : 2).keys()].filter((index) => !NEVER_NARROW[key]?.includes(index))
  const wanted = operands.flatMap((index) => Object.keys(POSITIONS).map((position) => `${index} ${position}`))
  expect(wanted.filter((one) => !seen.has(one))).toEqual([])
  const twoAtOnce = rows.some((all) => all.filter((dims) => positionsOf(dims, resultOf(all)).length > 0).length > 1)
  expect(twoAtOnce || operands.length < 2, 'both sides widened').toBe(true)
})

/** {@link relativeDifference}, where "not a number" at the same places is no difference. */
function difference(actual: Float32Array, expected: readonly number[]): number {
  if (expected.some((one, at) => Number.isNaN(one) !== Number.isNaN(actual[at]))) return Infinity
  const numbers = (values: Iterable<number>): number[] => Array.from(values, (one) => (Number.isNaN(one) ? 0 : one))
  return relativeDifference(numbers(actual), numbers(expected))
}

async function checkAnswers(row: Row, one: RowCase): Promise<void> {
  const of = await cotangentFor(row, one)
  const answer = await one.model.ask({ feeds: one.feeds, read: [one.output], gradient: { of, wrt: one.wrt } })
  const gradient = (input: string): Float32Array => (answer.gradients[input] as FloatTensor).data
  const first = gradient(one.wrt[0] ?? '')
  if (row.expected)
    expect(difference(first, row.expected), `${first.join()}, not ${row.expected.join()}`).toBeLessThan(FLOAT32)
  const golden = goldens.rows[row.name]
  if (golden === undefined) return
  const output = (answer.values[one.output] as FloatTensor).data
  expect(difference(output, numbersOf(golden.output)), `${row.name} against PyTorch`).toBeLessThan(FLOAT32)
  for (const [index, input] of one.wrt.entries()) {
    const theirs = numbersOf(golden.gradients[input])
    const far = difference(gradient(input), theirs)
    const said = `${row.name} ${input}: ${gradient(input).join()}, PyTorch ${theirs.join()}`
    if (row.differs !== undefined && index === 0) expect(far, `agrees now, ${said}`).not.toBeLessThan(FLOAT32)
    else expect(far, said).toBeLessThan(FLOAT32)
  }
}

const casesOf = (row: Row): Extents[] => [
  'fixed',
  ...(row.fixed ? [] : (['symbolic'] as const)),
  ...(row.batch.length > 0 ? (['batch'] as const) : []),
]

/** Steps are flat wherever they are smooth: beside x + step(x) only x has a gradient. */
test.each(['Ceil', 'Floor', 'Round', 'Sign'])('%s: 0, at its jumps too', async (operator) => {
  expect(OPERATORS[operator]?.stops).toBe(true)
  const model = await loadGraph(
    graphOf({
      nodes: [node(operator, ['x'], ['step']), node('Add', ['x', 'step'], ['y'])],
      inputs: [{ name: 'x', type: DataType.float, shape: [6] }],
      outputs: ['y'],
      constants: new Map(),
    }),
  )
  try {
    const x = float32([0, 0.5, 1, -2.3, Infinity, -Infinity], [6])
    const of = { y: float32([1, 2, 3, 4, 5, 6], [6]) }
    const { gradients } = await model.ask({ feeds: { x }, read: [], gradient: { of, wrt: ['x'] } })
    expect([...(gradients['x'] as FloatTensor).data]).toEqual([1, 2, 3, 4, 5, 6])
  } finally {
    await model.dispose()
  }
})

/** What a rule does not refuse beforehand, it writes: nothing is refused where all is known, and never otherwise than in words. */
async function checkRefusals(row: Row): Promise<void> {
  const { graph, wrt, output } = rowGraph(row, 'fixed')
  const fixed = await prepareGraph(await readModel(writeModel(graph)))
  const write = (prepared: Graph): void =>
    void differentiate(prepared, { of: [output], wrt, rules: PLAIN, replaced: new Set() })
  expect(() => write(fixed)).not.toThrow()

  const unranked = [...fixed.values].map(([name, info]) => [name, { ...info, shape: null }] as const)
  const unknown: Graph[] = [{ ...fixed, values: new Map(unranked) }]
  // ONNX Runtime itself wants fixed extents for some fused operators.
  if (!(row.fixed && row.domain))
    unknown.push(await prepareGraph(await readModel(writeModel(rowGraph(row, 'symbolic').graph))))
  for (const prepared of unknown)
    try {
      write(prepared)
    } catch (error) {
      expect(error).toMatchObject({ message: expect.stringMatching(/^No gradient rule for /) as unknown })
    }
}

describe.each(ROWS.map((row) => [row.name, row] as const))('%s', (_name, row) => {
  test('what its rule does not refuse beforehand, it writes', () => checkRefusals(row))

  test.each(casesOf(row))('%s extents', async (extents) => {
    const one = await rowCase(row, extents)
    try {
      if (extents === 'batch') {
        await checkBatches(row, one)
        return
      }
      // At a special point differences mean nothing.
      if (row.expected === undefined) {
        const check = await checkGradient(one.model, one.feeds, one.wrt, await cotangentFor(row, one))
        expect(check.error, JSON.stringify(check)).toBeLessThan(FINITE_DIFFERENCE)
      }
      await checkAnswers(row, one)
    } finally {
      await one.model.dispose()
    }
  })
})
