/** Dynamic quantisation: a scale that is the batch's, and what ONNX Runtime fuses of it. */
import { expect, test } from 'vitest'
import { floatConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type Attribute, type Constant, type GraphNode } from '../../../../../lib/engine/onnx/graph/graph.ts'
import type { OnnxModel } from '../../../../../lib/engine/onnx/model/onnx-model.ts'
import { DYNAMIC_OPERATORS } from '../../../../../lib/engine/onnx/prepare/dynamic-operators.ts'
import { given, multiply, sum, value, gradient } from '../../../../../lib/engine/formula.ts'
import { float32, row, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'
import { FLOAT32, relativeDifference } from '../../../../helpers/tolerance.ts'

const weights = Int8Array.from(normals(12, 5), (one) => Math.round(one * 40))
const constants = new Map<string, Constant>([
  ['w', { type: DataType.int8, dims: [4, 3], bytes: new Uint8Array(weights.buffer) }],
  ['ws', floatConstant([0.02, 0.01, 0.03], [3])],
  ['wz', { type: DataType.int8, dims: [3], bytes: new Uint8Array(3) }],
  ['b', floatConstant([0.5, -1, 2], [3])],
])
const toFloat: Record<string, Attribute> = { to: { kind: 'int', value: 1 } }
const quantise = node('DynamicQuantizeLinear', ['x'], ['q', 's', 'z'])
const plain: readonly GraphNode[] = [
  quantise,
  node('MatMulInteger', ['q', 'w', 'z', 'wz'], ['p']),
  node('Cast', ['p'], ['pf'], toFloat),
  node('Mul', ['s', 'ws'], ['unit']),
  node('Mul', ['pf', 'unit'], ['scaled']),
  node('Add', ['scaled', 'b'], ['y']),
]
const fused: Readonly<Record<string, readonly GraphNode[]>> = {
  'com.microsoft:DynamicQuantizeMatMul': [
    node('DynamicQuantizeMatMul', ['x', 'w', 'ws', 'wz', 'b'], ['y'], {}, 'com.microsoft'),
  ],
  'com.microsoft:MatMulIntegerToFloat': [
    quantise,
    node('MatMulIntegerToFloat', ['q', 'w', 's', 'ws', 'z', 'wz', 'b'], ['y'], {}, 'com.microsoft'),
  ],
}

const load = (nodes: readonly GraphNode[], rows: string | number = 'N'): Promise<OnnxModel> =>
  loadGraph(
    graphOf({
      nodes,
      inputs: [{ name: 'x', type: DataType.float, shape: [rows, 4] }],
      outputs: ['y'],
      constants,
      domains: ['com.microsoft'],
    }),
  )
/** The second row is fifty times the first: with one scale for both, the first is rounded to nothing. */
const first = Float32Array.from(normals(4, 3))
const x = float32([...first, ...first.map((one) => -50 * one)], [2, 4])
const of = { y: float32([1, -2, 0.5, 1, -2, 0.5], [2, 3]) }

test('every fused form is here', () => {
  expect(Object.keys(fused)).toEqual(Object.keys(DYNAMIC_OPERATORS))
})

test.each(Object.entries(fused))('%s is what it was fused of', async (_, nodes) => {
  const [one, other] = await Promise.all([load(nodes), load(plain)])
  const question = { feeds: { x }, read: ['y'], gradient: { of, wrt: ['x'] } }
  const [ours, theirs] = [await one.ask(question), await other.ask(question)]
  expect(relativeDifference(ours.values['y']?.data ?? [], theirs.values['y']?.data ?? [])).toBeLessThan(FLOAT32)
  expect(relativeDifference(ours.gradients['x']?.data ?? [], theirs.gradients['x']?.data ?? [])).toBeLessThan(FLOAT32)
  expect(one.batchDependent).toBe(true)
  await Promise.all([one.dispose(), other.dispose()])
})

/** All parts of an answer for a batch of two. */
async function asked(model: OnnxModel, feed: FloatTensor, weight: FloatTensor) {
  const rows = feed.dims[0] ?? 0
  return model.ask({
    feeds: { x: feed },
    read: ['y'],
    gradient: { of: { y: weight }, wrt: ['x'] },
    formulas: {
      shared: { two: float32([2], [1, 1]) },
      perRow: {
        own: float32(
          Float32Array.from({ length: rows }, () => 3),
          [rows, 1],
        ),
      },
      outputs: {
        relevance: sum(multiply(multiply(value('x'), gradient('x')), given('own')), [1]),
        constant: multiply(given('two'), 2),
      },
    },
  })
}

test('a batch is answered row by row: as each row alone', async () => {
  const model = await load(plain)
  const whole = await asked(model, x, of.y)
  const rows = (tensor: FloatTensor, at: number): FloatTensor => {
    const one = row(tensor, at)
    return float32(Float32Array.from(one.data), [1, ...one.dims])
  }
  for (const at of [0, 1]) {
    const alone = await asked(model, rows(x, at), rows(of.y, at))
    const parts = [
      [whole.values['y'], alone.values['y']],
      [whole.gradients['x'], alone.gradients['x']],
      [whole.computed['relevance'], alone.computed['relevance']],
    ] as const
    for (const [all, one] of parts)
      expect([...row(all as FloatTensor, at).data]).toEqual([...(one as FloatTensor).data])
  }
  expect(whole.computed['constant']).toEqual(float32([4], [1, 1]))
  await model.dispose()
})

test('what is computed across rows is refused', async () => {
  const model = await load(plain)
  const formulas = { outputs: { all: sum(value('y'), [0]) } }
  await expect(model.ask({ feeds: { x }, read: [], formulas })).rejects.toMatchObject({ code: 'BAD_INPUT' })
  await model.dispose()
})

test.each([1, 3])('a graph that fixes batches of %i answers any number of rows', async (rows) => {
  const nodes = [node('Tanh', ['x'], ['y'])]
  const [fixed, open] = await Promise.all([load(nodes, rows), load(nodes)])
  const question = { feeds: { x }, read: ['y'], gradient: { of: { y: float32(x.data, [2, 4]) }, wrt: ['x'] } }
  const [ours, theirs] = [await fixed.ask(question), await open.ask(question)]
  for (const part of ['values', 'gradients'] as const)
    for (const [name, tensor] of Object.entries(theirs[part])) {
      expect(ours[part][name]?.dims).toEqual([2, 4])
      expect(relativeDifference(ours[part][name]?.data ?? [], tensor.data)).toBeLessThan(FLOAT32)
    }
  await Promise.all([fixed.dispose(), open.dispose()])
})
