/** Quantised operators: forward as they are, backward as the float operators they stand for. */
import { describe, expect, test } from 'vitest'
import { floatConstant, intConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import {
  DataType,
  type Attribute,
  type Constant,
  type Graph,
  type GraphNode,
} from '../../../../../lib/engine/onnx/graph/graph.ts'
import { quantisationNote } from '../../../../../lib/engine/onnx/model/load.ts'
import type { OnnxModel } from '../../../../../lib/engine/onnx/model/onnx-model.ts'
import { QUANTISED_OPERATORS } from '../../../../../lib/engine/onnx/prepare/quantised-operators.ts'
import { sensibleTap } from '../../../../../lib/engine/onnx/model/defaults.ts'
import { float32, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'
import { relativeDifference } from '../../../../helpers/tolerance.ts'

/** Eight-bit rounding of the forward pass shows in the operands of products; the gradients differ by no more. */
const EIGHT_BIT = 0.02

const bytes = (type: number, dims: readonly number[], values: readonly number[]): Constant => ({
  type,
  dims,
  bytes: new Uint8Array(Int8Array.from(values).buffer),
})
const quantised = Array.from(normals(12, 5), (one) => Math.round(one * 40))
const scale = 0.02

async function gradientOf(
  nodes: readonly GraphNode[],
  constants: ReadonlyMap<string, Constant>,
  dims: readonly number[],
): Promise<{ y: FloatTensor; g: FloatTensor }> {
  const inputs = [{ name: 'x', type: DataType.float, shape: ['N', ...dims.slice(1)] }]
  const model = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants, opset: 18 }))
  const x = float32(
    normals(
      dims.reduce((a, b) => a * b, 1),
      3,
    ),
    dims,
  )
  const { values } = await model.ask({ feeds: { x }, read: ['y'] })
  const y = values['y'] as FloatTensor
  const of = { y: float32(normals(y.data.length, 9), y.dims) }
  const { gradients } = await model.ask({ feeds: { x }, read: [], gradient: { of, wrt: ['x'] } })
  await model.dispose()
  return { y, g: gradients['x'] as FloatTensor }
}

async function expectClose(
  quantisedNodes: readonly GraphNode[],
  floatNodes: readonly GraphNode[],
  constants: ReadonlyMap<string, Constant>,
  dims: readonly number[],
): Promise<void> {
  const [one, other] = [
    await gradientOf(quantisedNodes, constants, dims),
    await gradientOf(floatNodes, constants, dims),
  ]
  expect(relativeDifference(one.y.data, other.y.data)).toBeLessThan(EIGHT_BIT)
  expect(relativeDifference(one.g.data, other.g.data)).toBeLessThan(EIGHT_BIT)
  expect(other.g.data.some((value) => Math.abs(value) > 0.01)).toBe(true)
}

const dequantise = (dims: readonly number[]): Constant =>
  floatConstant(
    quantised.map((one) => one * scale),
    dims,
  )
const quantiser = node('DynamicQuantizeLinear', ['x'], ['xq', 'xs', 'xz'])
const rescale = [
  node('Cast', ['product'], ['float'], { to: { kind: 'int', value: 1 } }),
  node('Mul', ['xs', 'ws'], ['scales']),
  node('Mul', ['float', 'scales'], ['y']),
]

test('DynamicQuantizeLinear and MatMulInteger', async () => {
  const constants = new Map([
    ['w', bytes(DataType.int8, [4, 3], quantised)],
    ['wz', bytes(DataType.int8, [], [0])],
    ['ws', floatConstant([scale], [])],
    ['wf', dequantise([4, 3])],
  ])
  const product = node('MatMulInteger', ['xq', 'w', 'xz', 'wz'], ['product'])
  await expectClose([quantiser, product, ...rescale], [node('MatMul', ['x', 'wf'], ['y'])], constants, [2, 4])
})

test('ConvInteger', async () => {
  const unsigned = quantised.map((one) => Math.max(-128, Math.min(127, one)) + 128)
  const constants = new Map([
    ['w', bytes(DataType.uint8, [3, 1, 2, 2], unsigned)],
    ['wz', bytes(DataType.uint8, [], [128])],
    ['ws', floatConstant([scale], [])],
    ['wf', dequantise([3, 1, 2, 2])],
  ])
  const product = node('ConvInteger', ['xq', 'w', 'xz', 'wz'], ['product'])
  await expectClose([quantiser, product, ...rescale], [node('Conv', ['x', 'wf'], ['y'])], constants, [2, 1, 4, 4])
})

test('QuantizeLinear and DequantizeLinear round a tensor on its way', async () => {
  const constants = new Map([
    ['scale', floatConstant([0.03], [])],
    ['zero', bytes(DataType.int8, [], [3])],
  ])
  const nodes = [
    node('QuantizeLinear', ['x', 'scale', 'zero'], ['q']),
    node('DequantizeLinear', ['q', 'scale', 'zero'], ['back']),
    node('Tanh', ['back'], ['y']),
  ]
  await expectClose(nodes, [node('Tanh', ['x'], ['y'])], constants, [2, 5])
})

test('the engine says that gradients are those of the float model', () => {
  const graph = (nodes: readonly GraphNode[]): Graph =>
    graphOf({ nodes, inputs: [], outputs: [], constants: new Map() })
  expect(quantisationNote(graph([quantiser]))).toMatch(/dequantised weights\.$/)
  expect(quantisationNote(graph([node('QuantizeLinear', ['x', 's'], ['q'])]))).toMatch(/and 0 where .* saturates\.$/)
  expect(quantisationNote(graph([node('Relu', ['x'], ['y'])]))).toBe('')
})

describe('the embedding of a quantised word table is where its rows are floats again', () => {
  const table = bytes(DataType.int8, [4, 3], quantised)
  const scales = floatConstant([0.1, 0.2, 0.3, 0.4], [4, 1])
  const cast = { to: { kind: 'int', value: 1 } } as const
  const rows = node('Gather', ['table', 'ids'], ['rows'])
  const cases: readonly (readonly [string, readonly GraphNode[], readonly [string, Constant][]])[] = [
    [
      'one scale',
      [rows, node('Cast', ['rows'], ['f'], cast), node('Mul', ['f', 'scale'], ['e'])],
      [['scale', floatConstant([0.1], [])]],
    ],
    [
      'a scale a row',
      [
        rows,
        node('Cast', ['rows'], ['f'], cast),
        node('Gather', ['scales', 'ids'], ['s']),
        node('Mul', ['s', 'f'], ['e']),
      ],
      [['scales', scales]],
    ],
    [
      'scales in a vector, a zero point',
      [
        rows,
        node('Cast', ['rows'], ['f'], cast),
        node('Sub', ['f', 'zero'], ['centred']),
        node('Gather', ['vector', 'ids'], ['v']),
        node('Unsqueeze', ['v', 'last'], ['s']),
        node('Mul', ['centred', 's'], ['e']),
      ],
      [
        ['zero', floatConstant([3], [])],
        ['vector', floatConstant([0.1, 0.2, 0.3, 0.4], [4])],
        ['last', intConstant([-1])],
      ],
    ],
    [
      'DequantizeLinear',
      [rows, node('DequantizeLinear', ['rows', 'scale'], ['e'])],
      [['scale', floatConstant([0.1], [])]],
    ],
    ['floats', [node('Gather', ['floats', 'ids'], ['e'])], [['floats', dequantise([4, 3])]]],
  ]
  test.each(cases)('%s', async (_, nodes, constants) => {
    const model = await loadGraph(
      graphOf({
        nodes: [...nodes, node('Mul', ['e', 'root'], ['larger']), node('ReduceSum', ['larger', 'last'], ['y'])],
        inputs: [{ name: 'ids', type: DataType.int64, shape: ['N', 'T'] }],
        outputs: ['y'],
        constants: new Map([
          ['table', table],
          ['root', floatConstant([2], [])],
          ['last', intConstant([-1])],
          ...constants,
        ]),
      }),
    )
    await model.dispose()
    expect(model.taps.filter((tap) => tap.kind === 'embedding').map((tap) => tap.id)).toEqual(['e'])
    expect(sensibleTap(model.taps)).toBe('e')
  })
})

describe('QuantizeLinear passes the gradient where it does not saturate', () => {
  interface Quantiser {
    readonly type: number
    readonly zero: number
    readonly x: readonly number[]
    readonly expected: readonly number[]
    /** The operator in front: none, an input's own values. */
    readonly behind?: string
  }
  const typed = ({ type, zero }: Quantiser): Constant => {
    const view = type === DataType.uint16 ? Uint16Array.from([zero]) : Int8Array.from([zero])
    return { type, dims: [], bytes: new Uint8Array(view.buffer) }
  }
  const deleted = { behind: 'Add', x: [-1, 0, 0.01, 1, 4e4], expected: [0, 0, 1, 1, 0] } as const
  const cases: readonly (readonly [string, Quantiser])[] = [
    ['a deleted Relu: 0 at 0', { type: DataType.uint8, zero: 0, ...deleted }],
    ['a deleted Relu, signed', { type: DataType.int8, zero: -128, ...deleted }],
    ['a deleted Relu, sixteen bits', { type: DataType.uint16, zero: 0, ...deleted }],
    [
      'a range around 0: what rounds into it passes',
      { type: DataType.int8, zero: 0, behind: 'Add', x: [-64.3, -64.2, 0, 63.7, 63.8], expected: [0, 1, 1, 1, 0] },
    ],
    [
      'an input: what rounds into the range passes, as torch.fake_quantize has it',
      { type: DataType.uint8, zero: 0, x: [-0.3, -0.2, 0, 127.5, 127.7, 127.8], expected: [0, 1, 1, 1, 1, 0] },
    ],
  ]
  test.each(cases)('%s', async (_, one) => {
    const front = one.behind === undefined ? [] : [node(one.behind, ['x', 'nothing'], ['moved'])]
    const model = await loadGraph(
      graphOf({
        nodes: [
          ...front,
          node('QuantizeLinear', [front.length > 0 ? 'moved' : 'x', 'scale', 'zero'], ['q']),
          node('DequantizeLinear', ['q', 'scale', 'zero'], ['back']),
          node('Identity', ['back'], ['y']),
        ],
        inputs: [{ name: 'x', type: DataType.float, shape: [one.x.length] }],
        outputs: ['y'],
        constants: new Map([
          ['scale', floatConstant([0.5], [])],
          ['zero', typed(one)],
          ['nothing', floatConstant([0], [])],
        ]),
        opset: 21,
      }),
    )
    const of = { y: float32(new Float32Array(one.x.length).fill(1), [one.x.length]) }
    const feeds = { x: float32(Float32Array.from(one.x), [one.x.length]) }
    const { gradients } = await model.ask({ feeds, read: [], gradient: { of, wrt: ['x'] } })
    await model.dispose()
    expect([...(gradients['x'] as FloatTensor).data]).toEqual(one.expected)
  })

  test('what is asked about passes whole: logits beyond those of calibration', async () => {
    const quantisers = ['scale', 'zero'] as const
    const model = await loadGraph(
      graphOf({
        nodes: [
          node('Add', ['x', 'x'], ['sum']),
          node('QuantizeLinear', ['sum', ...quantisers], ['q']),
          node('DequantizeLinear', ['q', ...quantisers], ['y']),
        ],
        inputs: [{ name: 'x', type: DataType.float, shape: [3] }],
        outputs: ['y'],
        constants: new Map([
          ['scale', floatConstant([0.5], [])],
          ['zero', bytes(DataType.uint8, [], [0])],
        ]),
      }),
    )
    const feeds = { x: float32([-4, 4, 400], [3]) }
    const of = { y: float32([1, 1, 1], [3]) }
    const { gradients } = await model.ask({ feeds, read: [], gradient: { of, wrt: ['x'] } })
    await model.dispose()
    expect([...(gradients['x'] as FloatTensor).data]).toEqual([2, 2, 2])
  })

  const scales: readonly (readonly [string, Constant, Constant, number])[] = [
    ['a scale a channel', floatConstant([1, 0.5], [2]), bytes(DataType.uint8, [2], [0, 10]), 0],
    ['a scale a block', floatConstant([1, 0.5, 0.5, 1], [2, 2]), bytes(DataType.uint8, [2, 2], [0, 10, 0, 10]), 2],
  ]
  test.each(scales)('%s', async (_, scale, zero, block) => {
    const axis = {
      axis: { kind: 'int', value: block === 0 ? 0 : 1 },
      block_size: { kind: 'int', value: block },
    } as const
    const model = await loadGraph(
      graphOf({
        nodes: [
          node('QuantizeLinear', ['x', 'scale', 'zero'], ['q'], axis),
          node('DequantizeLinear', ['q', 'scale', 'zero'], ['back'], axis),
          node('Identity', ['back'], ['y']),
        ],
        inputs: [{ name: 'x', type: DataType.float, shape: ['N', 4] }],
        outputs: ['y'],
        constants: new Map([
          ['scale', scale],
          ['zero', zero],
        ]),
        opset: 21,
      }),
    )
    const feeds = { x: float32(Float32Array.from([-4, 4, -4, -8, -4, 4, -4, 250]), [2, 4]) }
    const of = { y: float32(new Float32Array(8).fill(1), [2, 4]) }
    const { gradients } = await model.ask({ feeds, read: [], gradient: { of, wrt: ['x'] } })
    await model.dispose()
    // Zero point 10 at a scale of 0.5 reaches down to -5; at a scale of 1 to -10, and up to 245.
    const channels = [0, 1, 0, 0, 1, 1, 1, 0]
    const blocks = [0, 1, 1, 0, 0, 1, 1, 0]
    expect([...(gradients['x'] as FloatTensor).data]).toEqual(block === 0 ? channels : blocks)
  })
})

describe('operators of the QOperator format are differentiated as what they compute', () => {
  const quantisers = new Map<string, Constant>([
    ['s', floatConstant([0.03], [])],
    ['z', bytes(DataType.int8, [], [2])],
    ['w', bytes(DataType.int8, [3, 2, 2, 2], [...quantised, ...quantised].slice(0, 24))],
    ['ws', floatConstant([0.02, 0.01, 0.03], [3])],
    ['wz', bytes(DataType.int8, [3], [0, 0, 0])],
    ['m', bytes(DataType.int8, [4, 3], quantised)],
    ['ms', floatConstant([0.02], [])],
    ['mz', bytes(DataType.int8, [], [0])],
    ['b', { type: DataType.int32, dims: [3], bytes: new Uint8Array(Int32Array.from([900, -500, 100]).buffer) }],
    ['condition', { type: DataType.bool, dims: [1], bytes: new Uint8Array([1]) }],
  ])
  const x = ['q', 's', 'z'] as const
  const y = ['s', 'z'] as const
  const microsoft = (
    operator: string,
    inputs: readonly string[],
    attributes: GraphNode['attributes'] = {},
  ): GraphNode => node(operator, inputs, ['p'], attributes, 'com.microsoft')
  const int = (value: number): Attribute => ({ kind: 'int', value })
  const dequantiseOf = (name: string, scale: string, axis = 0): GraphNode =>
    node('DequantizeLinear', [name, scale], [`${name}f`], { axis: int(axis) })
  const pool = { kernel_shape: { kind: 'ints', value: [2, 2] } } as const
  const biasOf = (scale: string): GraphNode[] => [
    node('Cast', ['b'], ['bc'], { to: int(1) }),
    node('Mul', ['s', scale], ['unit']),
    node('Mul', ['bc', 'unit'], ['bf']),
  ]
  const image = [2, 2, 3, 3] as const
  const matrix = [2, 4] as const
  const cases: readonly (readonly [GraphNode, readonly GraphNode[], readonly number[]])[] = [
    [
      node('QLinearConv', [...x, 'w', 'ws', 'wz', ...y, 'b'], ['p']),
      [dequantiseOf('w', 'ws'), ...biasOf('ws'), node('Conv', ['x', 'wf', 'bf'], ['y'])],
      image,
    ],
    [
      node('QLinearMatMul', [...x, 'm', 'ms', 'mz', ...y], ['p']),
      [dequantiseOf('m', 'ms'), node('MatMul', ['x', 'mf'], ['y'])],
      matrix,
    ],
    [
      microsoft('QGemm', [...x, 'm', 'ms', 'mz', 'b', ...y]),
      [dequantiseOf('m', 'ms'), ...biasOf('ms'), node('Gemm', ['x', 'mf', 'bf'], ['y'])],
      matrix,
    ],
    [microsoft('QLinearAdd', [...x, ...x, ...y]), [node('Add', ['x', 'x'], ['y'])], matrix],
    [microsoft('QLinearMul', [...x, ...x, ...y]), [node('Mul', ['x', 'x'], ['y'])], matrix],
    [microsoft('QLinearAveragePool', [...x, ...y], pool), [node('AveragePool', ['x'], ['y'], pool)], image],
    [microsoft('QLinearGlobalAveragePool', [...x, ...y]), [node('GlobalAveragePool', ['x'], ['y'])], image],
    [
      microsoft('QLinearConcat', [...y, ...x, ...x], { axis: int(1) }),
      [node('Concat', ['x', 'x'], ['y'], { axis: int(1) })],
      image,
    ],
    [microsoft('QLinearLeakyRelu', [...x, ...y]), [node('LeakyRelu', ['x'], ['y'])], matrix],
    [microsoft('QLinearSigmoid', [...x, ...y]), [node('Sigmoid', ['x'], ['y'])], matrix],
    [
      microsoft('QLinearSoftmax', [...x, ...y], { axis: int(-1), opset: int(13) }),
      [node('Softmax', ['x'], ['y'])],
      matrix,
    ],
    [node('MaxPool', ['q'], ['p'], pool), [node('MaxPool', ['x'], ['y'], pool)], image],
  ]
  const modelOf = (operator: GraphNode, dims: readonly number[]): Promise<OnnxModel> =>
    loadGraph(
      graphOf({
        nodes: [node('QuantizeLinear', ['x', ...y], ['q']), operator, node('DequantizeLinear', ['p', ...y], ['y'])],
        inputs: [{ name: 'x', type: DataType.float, shape: ['N', ...dims.slice(1)] }],
        outputs: ['y'],
        constants: quantisers,
        domains: ['com.microsoft'],
      }),
    )
  test('every one that is written out is here', () => {
    const here = cases.map(([{ domain, operator }]) => (domain === '' ? operator : `${domain}:${operator}`))
    expect(Object.keys(QUANTISED_OPERATORS).filter((key) => !here.includes(key))).toEqual([])
  })
  test.each(cases.map((one) => [one[0].operator, ...one] as const))('%s', async (_, operator, floats, dims) => {
    const values = Array.from(
      normals(
        dims.reduce((a, b) => a * b, 1),
        3,
      ),
      (one) => Math.round(one * 10) * 0.03,
    )
    const feeds = { x: float32(Float32Array.from(values), [...dims]) }
    const inputs = [{ name: 'x', type: DataType.float, shape: dims }]
    const plain = await loadGraph(graphOf({ nodes: floats, inputs, outputs: ['y'], constants: quantisers }))
    const one = await modelOf(operator, dims)
    const expected = (await plain.ask({ feeds, read: ['y'] })).values['y'] as FloatTensor
    const of = { y: float32(normals(expected.data.length, 9), expected.dims) }
    const question = { feeds, read: ['y'], gradient: { of, wrt: ['x'] } } as const
    const [ours, theirs] = [await one.ask(question), await plain.ask(question)]
    await one.dispose()
    await plain.dispose()
    const read = (tensor: unknown): Float32Array => (tensor as FloatTensor).data
    // Half a step of 0.03 is what the result is rounded by.
    const apart = read(ours.values['y']).map((value, at) => Math.abs(value - (expected.data[at] ?? 0)))
    expect(Math.max(...apart)).toBeLessThan(0.016)
    expect(relativeDifference(read(ours.gradients['x']), read(theirs.gradients['x']))).toBeLessThan(EIGHT_BIT)
  })
  const unknown: readonly (readonly [GraphNode, string])[] = [
    [microsoft('QLinearWhere', ['condition', ...x, ...x, ...y]), 'com.microsoft:QLinearWhere'],
    [node('Relu', ['q'], ['p']), 'Relu (on integers; at p)'],
  ]
  test.each(unknown)('without a rule for integers: named, no zeros', async (operator, name) => {
    const model = await modelOf(operator, [2, 4])
    const of = { y: float32(new Float32Array(8), [2, 4]) }
    const feeds = { x: float32(new Float32Array(8), [2, 4]) }
    await expect(model.ask({ feeds, read: [], gradient: { of, wrt: ['x'] } })).rejects.toMatchObject({
      code: 'NOT_DIFFERENTIABLE',
      details: { operators: [name] },
    })
    expect(model.taps.find((tap) => tap.id === 'x')).toMatchObject({ differentiable: false })
    await model.dispose()
  })
})
