/** Selections moved in front of what treats positions one by one: the same values and gradients, computed for one position. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { floatConstant, intConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import {
  DataType,
  shapeIn,
  type Attribute,
  type Constant,
  type GraphNode,
} from '../../../../../lib/engine/onnx/graph/graph.ts'
import { prepareGraph } from '../../../../../lib/engine/onnx/model/load.ts'
import { readModelFile } from '../../../../../lib/engine/onnx/file/read-model.ts'
import { selectEarly } from '../../../../../lib/engine/onnx/question/select-early.ts'
import { float32, sizeOf, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'
import { FLOAT32, relativeDifference } from '../../../../helpers/tolerance.ts'

const random = (dims: readonly number[], seed: number): Constant => floatConstant(normals(sizeOf(dims), seed), dims)
const int = (value: number): Attribute => ({ kind: 'int', value })
const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value })

interface Case {
  readonly name: string
  /** From x [2, 5, 6] (and w [2, 6, 4] where it is read) to `whole`. */
  readonly nodes: readonly GraphNode[]
  readonly constants?: Readonly<Record<string, Constant>>
  readonly axis: number
  /** Operators that end up behind the selection; none: it stays where it is. */
  readonly moved: readonly string[]
}

const CASES: readonly Case[] = [
  { name: 'elementwise', nodes: [node('Tanh', ['x'], ['whole'])], axis: 1, moved: ['Tanh'] },
  {
    name: 'a bias along another axis',
    nodes: [node('Add', ['x', 'b'], ['whole'])],
    constants: { b: random([6], 1) },
    axis: 1,
    moved: ['Add'],
  },
  {
    name: 'a bias along the axis itself, and one that is widened along it',
    nodes: [node('Add', ['b', 'x'], ['sum']), node('Mul', ['sum', 'c'], ['whole'])],
    constants: { b: random([5, 6], 1), c: random([1, 6], 2) },
    axis: 1,
    moved: ['Add', 'Mul'],
  },
  {
    // DeBERTa's distances, as torch.export writes them: the first of one.
    name: 'a number made a list',
    nodes: [
      node('ReduceMean', ['x'], ['mean'], { keepdims: int(0) }),
      node('Reshape', ['mean', 'list'], ['listed']),
      node('Gather', ['listed', 'zero'], ['first'], { axis: int(0) }),
      node('Add', ['x', 'first'], ['whole']),
    ],
    constants: { list: intConstant([-1]), zero: intConstant([0], []) },
    axis: 1,
    moved: ['Add'],
  },
  {
    name: 'LayerNormalization over another axis',
    nodes: [node('LayerNormalization', ['x', 's'], ['whole'], { axis: int(-1) })],
    constants: { s: random([6], 3) },
    axis: 1,
    moved: ['LayerNormalization'],
  },
  {
    name: 'LayerNormalization over the axis itself',
    nodes: [node('LayerNormalization', ['x', 's'], ['whole'], { axis: int(1) })],
    constants: { s: random([5, 6], 3) },
    axis: 1,
    moved: [],
  },
  {
    name: 'Softmax along another axis',
    nodes: [node('Softmax', ['x'], ['whole'], { axis: int(2) })],
    axis: 1,
    moved: ['Softmax'],
  },
  {
    name: 'Softmax along the axis itself',
    nodes: [node('Softmax', ['x'], ['whole'], { axis: int(1) })],
    axis: 1,
    moved: [],
  },
  { name: 'MatMul, rows', nodes: [node('MatMul', ['x', 'w'], ['whole'])], axis: 1, moved: ['MatMul'] },
  { name: 'MatMul, columns', nodes: [node('MatMul', ['x', 'w'], ['whole'])], axis: 2, moved: ['MatMul'] },
  { name: 'MatMul, its batch', nodes: [node('MatMul', ['x', 'w'], ['whole'])], axis: 0, moved: ['MatMul'] },
  {
    name: 'Transpose',
    nodes: [node('Transpose', ['x'], ['whole'], { perm: ints([2, 0, 1]) })],
    axis: 2,
    moved: ['Transpose'],
  },
  {
    name: 'Reshape behind the axis, which splits what follows',
    nodes: [node('Reshape', ['x', 'to'], ['whole'])],
    constants: { to: intConstant([2, 5, 3, 2]) },
    axis: 1,
    moved: ['Reshape'],
  },
  {
    name: 'Reshape that mixes the axis',
    nodes: [node('Reshape', ['x', 'to'], ['whole'])],
    constants: { to: intConstant([2, 10, 3]) },
    axis: 1,
    moved: [],
  },
  {
    name: 'two ways that meet, one of them read by somebody else too',
    nodes: [
      node('Tanh', ['x'], ['t']),
      node('Exp', ['t'], ['e']),
      node('Mul', ['t', 'e'], ['whole']),
      node('ReduceSum', ['t', 'first'], ['rest'], { keepdims: int(0) }),
    ],
    constants: { first: intConstant([1]) },
    axis: 1,
    moved: ['Exp', 'Mul'],
  },
]

const x = float32(normals(60, 11), [2, 5, 6])
const w = float32(normals(48, 12), [2, 6, 4])

describe.each(CASES)('$name', ({ nodes, constants = {}, axis, moved }) => {
  const usesW = nodes.some((one) => one.inputs.includes('w'))
  const extra = nodes.some((one) => one.outputs.includes('rest'))
  const inputs = [
    { name: 'x', type: DataType.float, shape: [2, 5, 6] },
    ...(usesW ? [{ name: 'w', type: DataType.float, shape: [2, 6, 4] }] : []),
  ]
  const feeds = { x, ...(usesW ? { w } : {}) }

  test.each([
    ['a number', 1, []],
    ['a number from the end', -2, []],
    ['a list of one', 0, [1]],
  ] as const)('the index is %s', async (_, index, dims) => {
    const graph = graphOf({
      nodes: [...nodes, node('Gather', ['whole', 'index'], ['y'], { axis: int(axis) })],
      inputs,
      outputs: extra ? ['y', 'rest'] : ['y'],
      constants: new Map([...Object.entries(constants), ['index', intConstant([index], dims)]]),
    })
    const prepared = await prepareGraph(graph)
    const early = selectEarly(prepared, new Set())
    const behind = early.nodes.filter((one) => one.name.startsWith('limelight:selected') && one.operator !== 'Gather')
    expect(behind.map((one) => one.operator).sort()).toEqual([...moved].sort())
    for (const one of behind) expect(shapeIn(early, one.outputs[0] ?? '')).toContain(1)

    const model = await loadGraph(graph)
    const reading = await model.ask({ feeds, read: ['y'] })
    const shape = (reading.values['y'] as FloatTensor).dims
    const of = { y: float32(normals(sizeOf(shape), 13), shape) }
    const wrt = Object.keys(feeds)
    const moving = await model.ask({ feeds, read: ['y'], gradient: { of, wrt } })
    // Reading the whole tensor keeps it whole: the same question, computed the long way.
    const whole = await model.ask({ feeds, read: ['y', 'whole'], gradient: { of, wrt } })
    expect((whole.values['whole'] as FloatTensor).dims).toEqual(shapeIn(prepared, 'whole'))
    expect((moving.values['y'] as FloatTensor).dims).toEqual((whole.values['y'] as FloatTensor).dims)
    const pairs = [
      [moving.values['y'], whole.values['y']],
      ...wrt.map((name) => [moving.gradients[name], whole.gradients[name]]),
    ] as [FloatTensor, FloatTensor][]
    for (const [left, right] of pairs) expect(relativeDifference(left.data, right.data)).toBeLessThan(FLOAT32)
    await model.dispose()
  })
})

test('a BERT classifier: the last layer is computed for [CLS] but for keys and values', async () => {
  const file = fileURLToPath(new URL('../../../../fixtures/networks/bert.onnx', import.meta.url))
  const graph = await prepareGraph(await readModelFile(file))
  const early = selectEarly(graph, new Set())
  const moved = early.nodes.filter((one) => one.name.startsWith('limelight:selected'))
  const count = (operator: string): number => moved.filter((one) => one.operator === operator).length
  // Two normalisations; the attention's output, and both layers of the feed-forward network.
  expect(count('LayerNormalization')).toBe(2)
  expect(count('MatMul') + count('Gemm')).toBeGreaterThanOrEqual(3)
})

test('a graph without a selection is left as it is', async () => {
  const inputs = [{ name: 'x', type: DataType.float, shape: [2, 3] }]
  const graph = graphOf({ nodes: [node('Tanh', ['x'], ['y'])], inputs, outputs: ['y'], constants: new Map() })
  const prepared = await prepareGraph(graph)
  expect(selectEarly(prepared, new Set())).toBe(prepared)
})
