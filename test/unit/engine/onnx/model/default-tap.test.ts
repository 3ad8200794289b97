/** The layer that methods use when none is chosen: a quantised CNN has that of the float CNN it was made of. */
import { describe, expect, test } from 'vitest'
import { floatConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type Constant, type GraphNode } from '../../../../../lib/engine/onnx/graph/graph.ts'
import type { OnnxModel } from '../../../../../lib/engine/onnx/model/onnx-model.ts'
import { sensibleTap } from '../../../../../lib/engine/onnx/model/defaults.ts'
import { float32, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'
import { relativeDifference } from '../../../../helpers/tolerance.ts'

/** Two roundings to eight bits. */
const EIGHT_BIT = 0.03

const [steps, step] = [Array.from(normals(48, 5), (one) => Math.round(one * 30)), 0.02]
const bytes = (type: number, dims: readonly number[], values: readonly number[]): Constant => ({
  type,
  dims,
  bytes: new Uint8Array(Int8Array.from(values).buffer),
})
const scalar = (value: number): Constant => floatConstant([value], [])
const weights = (dims: readonly number[]): Constant => {
  const count = dims.reduce((product, dim) => product * dim, 1)
  return floatConstant(
    steps.slice(0, count).map((one) => one * step),
    dims,
  )
}
const constants = new Map<string, Constant>([
  ['w1', weights([3, 1, 2, 2])],
  ['w2', weights([3, 3, 2, 2])],
  ['w2q', bytes(DataType.int8, [3, 3, 2, 2], steps.slice(0, 36))],
  ['w2s', scalar(step)],
  ['w2z', bytes(DataType.int8, [], [0])],
  ['head', weights([3, 2])],
  ['s', scalar(0.02)],
  ['low', bytes(DataType.uint8, [], [0])],
  ['middle', bytes(DataType.uint8, [], [128])],
])

const kernel = { kernel_shape: { kind: 'ints', value: [2, 2] } } as const
const conv1 = node('Conv', ['x', 'w1'], ['conv1'], kernel)
const conv2 = (x: string): GraphNode => node('Conv', [x, 'w2'], ['conv2'], kernel)
const rectify = (x: string, y: string): GraphNode => node('Relu', [x], [y])
const headOf = (x: string): GraphNode[] => [
  node('GlobalAveragePool', [x], ['pooled']),
  node('Flatten', ['pooled'], ['flat']),
  node('MatMul', ['flat', 'head'], ['logits']),
]
/** x rounded: `x/q` in eight bits, `x/back` as floats again. */
const rounded = (x: string, zero = 'low'): GraphNode[] => [
  node('QuantizeLinear', [x, 's', zero], [`${x}/q`]),
  node('DequantizeLinear', [`${x}/q`, 's', zero], [`${x}/back`]),
]

const load = (nodes: readonly GraphNode[]): Promise<OnnxModel> =>
  loadGraph(
    graphOf({
      nodes,
      inputs: [{ name: 'x', type: DataType.float, shape: ['N', 1, 7, 7] }],
      outputs: ['logits'],
      constants,
    }),
  )
const twin = [conv1, rectify('conv1', 'relu1'), conv2('relu1'), rectify('conv2', 'relu2'), ...headOf('relu2')]

/** What a method sees at the default layer: its values, and the gradient of the first class. */
async function atDefault(nodes: readonly GraphNode[]): Promise<{ tap: string; seen: readonly FloatTensor[] }> {
  const model = await load(nodes)
  const tap = sensibleTap(model.taps)
  const of = { logits: float32(Float32Array.of(1, 0), [1, 2]) }
  // Within the range of the quantisers.
  const x = float32(
    normals(49, 3).map((one) => one / 2),
    [1, 1, 7, 7],
  )
  const answer = await model.ask({ feeds: { x }, read: [tap], gradient: { of, wrt: [tap] } })
  await model.dispose()
  return { tap, seen: [answer.values[tap], answer.gradients[tap]] as FloatTensor[] }
}

async function expectSeenAsTwin(nodes: readonly GraphNode[], tap: string): Promise<void> {
  const [one, float] = [await atDefault(nodes), await atDefault(twin)]
  expect([float.tap, one.tap]).toEqual(['relu2', tap])
  for (const [index, tensor] of float.seen.entries()) {
    expect(one.seen[index]?.dims).toEqual(tensor.dims)
    expect(relativeDifference(one.seen[index]?.data ?? [], tensor.data)).toBeLessThan(EIGHT_BIT)
  }
}

describe('a quantised CNN has the default layer of its float twin', () => {
  const [x, relu1, relu2] = [rounded('x', 'middle'), rounded('relu1'), rounded('relu2')]
  const first = [...x, node('Conv', ['x/back', 'w1'], ['conv1'], kernel)]
  test('QDQ, its Relu kept', async () => {
    const nodes = [...first, rectify('conv1', 'relu1'), ...relu1, conv2('relu1/back'), rectify('conv2', 'relu2')]
    await expectSeenAsTwin([...nodes, ...relu2, ...headOf('relu2/back')], 'relu2')
  })
  test('QDQ, its Relu deleted: where the quantiser has done its work', async () => {
    const nodes = [...first, ...rounded('conv1'), conv2('conv1/back'), ...rounded('conv2'), ...headOf('conv2/back')]
    await expectSeenAsTwin(nodes, 'conv2/back')
  })
  test('QOperator, written out', async () => {
    const qlinear = node('QLinearConv', ['conv1/q', 's', 'low', 'w2q', 'w2s', 'w2z', 's', 'low'], ['y'], kernel)
    const nodes = [...first, ...rounded('conv1'), qlinear, node('DequantizeLinear', ['y', 's', 'low'], ['back'])]
    await expectSeenAsTwin([...nodes, ...headOf('back')], 'back')
  })
  test('quantised as it runs', async () => {
    const nodes = [
      conv1,
      rectify('conv1', 'relu1'),
      node('DynamicQuantizeLinear', ['relu1'], ['q', 'qs', 'qz']),
      node('ConvInteger', ['q', 'w2q', 'qz', 'w2z'], ['sums'], kernel),
      node('Cast', ['sums'], ['cast'], { to: { kind: 'int', value: DataType.float } }),
      node('Mul', ['qs', 'w2s'], ['scales']),
      node('Mul', ['cast', 'scales'], ['conv2']),
      rectify('conv2', 'relu2'),
    ]
    await expectSeenAsTwin([...nodes, ...headOf('relu2')], 'relu2')
  })
})

test('a map stays one through rounding, wherever it is read next', async () => {
  const nodes = [conv1, ...rounded('conv1'), node('MaxPool', ['conv1/back'], ['pool'], kernel), ...headOf('pool')]
  const model = await load(nodes)
  await model.dispose()
  const maps = model.taps.filter((tap) => tap.spatial).map((tap) => tap.id)
  expect(maps).toEqual(['x', 'conv1', 'conv1/back', 'pool'])
  expect(sensibleTap(model.taps)).toBe('pool')
})

/** Operators that had a rule and were known neither as activations nor as keeping a map. */
test.each([
  ['Softsign', ''],
  ['Shrink', ''],
  ['ThresholdedRelu', ''],
  ['QuickGelu', 'com.microsoft'],
])('%s is an activation, and its map a layer', async (operator, domain) => {
  const model = await loadGraph(
    graphOf({
      nodes: [conv1, node(operator, ['conv1'], ['active'], {}, domain), ...headOf('active')],
      inputs: [{ name: 'x', type: DataType.float, shape: ['N', 1, 7, 7] }],
      outputs: ['logits'],
      constants,
      domains: domain === '' ? [] : [domain],
    }),
  )
  await model.dispose()
  expect(model.taps.find((tap) => tap.id === 'active')).toMatchObject({ kind: 'activation', spatial: true })
  expect(sensibleTap(model.taps)).toBe('active')
})
