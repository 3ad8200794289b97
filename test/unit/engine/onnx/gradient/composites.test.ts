/** Functions written as several nodes: found in every spelling, differentiated as a whole, left alone where a part is asked for. */
import { describe, expect, test } from 'vitest'
import { Builder } from '../../../../../lib/engine/onnx/graph/builder.ts'
import { findComposites } from '../../../../../lib/engine/onnx/gradient/composites.ts'
import { floatConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type Attribute, type Graph, type GraphNode } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { prepareGraph } from '../../../../../lib/engine/onnx/prepare/prepare-graph.ts'
import { float32, sizeOf, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import { checkGradient } from '../../../../helpers/check-gradient.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'
import { FINITE_DIFFERENCE, FLOAT32, relativeDifference } from '../../../../helpers/tolerance.ts'

const scalar = (value: number) => floatConstant([value], [])
const constants = new Map([
  ['root', scalar(Math.SQRT2)],
  ['inverse', scalar(Math.SQRT1_2)],
  ['one', scalar(1)],
  ['half', scalar(0.5)],
])

async function found(graph: Graph, kept: readonly string[] = []): Promise<number> {
  const prepared = await prepareGraph(graph)
  return findComposites(prepared, new Builder(prepared, 'test:'), new Set(kept)).size
}

const floats = (dims: readonly number[], seed: number): FloatTensor => float32(normals(sizeOf(dims), seed), dims)

describe('Gelu', () => {
  const erf = (scaling: GraphNode): GraphNode[] => [
    scaling,
    node('Erf', ['t'], ['e']),
    node('Add', ['e', 'one'], ['raised']),
  ]
  const divided = erf(node('Div', ['x', 'root'], ['t']))
  const spellings: readonly (readonly [string, readonly GraphNode[]])[] = [
    ['(x (1 + erf)) / 2', [...divided, node('Mul', ['x', 'raised'], ['m']), node('Mul', ['m', 'half'], ['y'])]],
    ['x ((1 + erf) / 2)', [...divided, node('Mul', ['raised', 'half'], ['m']), node('Mul', ['x', 'm'], ['y'])]],
    ['(x / 2) (1 + erf)', [...divided, node('Mul', ['x', 'half'], ['h']), node('Mul', ['h', 'raised'], ['y'])]],
    [
      'x times the inverse root, operands the other way round',
      [
        ...erf(node('Mul', ['inverse', 'x'], ['t'])),
        node('Mul', ['raised', 'x'], ['m']),
        node('Mul', ['half', 'm'], ['y']),
      ],
    ],
  ]
  const inputs = [{ name: 'x', type: DataType.float, shape: ['rows', 5] }]

  test.each(spellings)('%s', async (_, nodes) => {
    const graph = graphOf({ nodes, inputs, outputs: ['y'], constants })
    expect(await found(graph)).toBe(1)
    const one = await loadGraph(graph)
    const feeds = { x: floats([3, 5], 4) }
    const of = { y: floats([3, 5], 5) }
    expect((await checkGradient(one, feeds, ['x'], of)).error).toBeLessThan(FINITE_DIFFERENCE)
    // The operator of the same name has its own golden from PyTorch.
    const operator = await loadGraph(
      graphOf({ nodes: [node('Gelu', ['x'], ['y'])], inputs, outputs: ['y'], constants: new Map(), opset: 20 }),
    )
    const gradient = async (model: typeof one): Promise<Float32Array> =>
      ((await model.ask({ feeds, read: [], gradient: { of, wrt: ['x'] } })).gradients['x'] as FloatTensor).data
    expect(relativeDifference(await gradient(one), await gradient(operator))).toBeLessThan(FLOAT32)
    await one.dispose()
    await operator.dispose()
  })

  test('other constants, and parts that are read elsewhere, are not it', async () => {
    const [, nodes = []] = spellings[0] ?? []
    const wrong = new Map([...constants, ['half', scalar(0.4)]] as const)
    expect(await found(graphOf({ nodes, inputs, outputs: ['y'], constants: wrong }))).toBe(0)
    const shared = [...nodes, node('Add', ['y', 'raised'], ['z'])]
    expect(await found(graphOf({ nodes: shared, inputs, outputs: ['z'], constants }))).toBe(0)
    expect(await found(graphOf({ nodes, inputs, outputs: ['y'], constants }), ['raised'])).toBe(0)
  })

  test('the gradient at a part of it is still the part’s', async () => {
    const [, nodes = []] = spellings[0] ?? []
    const one = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants }))
    const x = floats([2, 5], 6)
    const { gradients } = await one.ask({
      feeds: { x },
      read: [],
      gradient: { of: { y: float32(new Float32Array(10).fill(1), [2, 5]) }, wrt: ['raised'] },
    })
    const half = x.data.map((value) => value / 2)
    expect(relativeDifference((gradients['raised'] as FloatTensor).data, half)).toBeLessThan(FLOAT32)
    await one.dispose()
  })
})

describe('softmax(S) V', () => {
  const inputs = [
    { name: 's', type: DataType.float, shape: ['rows', 2, 'queries', 'keys'] },
    { name: 'v', type: DataType.float, shape: ['rows', 2, 'keys', 3] },
  ]
  const nodes = [node('Softmax', ['s'], ['p']), node('MatMul', ['p', 'v'], ['c'])]
  const feeds = { s: floats([2, 2, 4, 5], 7), v: floats([2, 2, 5, 3], 8) }
  const of = { c: floats([2, 2, 4, 3], 9) }

  test.each([[['s', 'v']], [['s']], [['v']]])('at %j', async (wrt) => {
    const graph = graphOf({ nodes, inputs, outputs: ['c'], constants: new Map() })
    expect(await found(graph)).toBe(1)
    const one = await loadGraph(graph)
    expect((await checkGradient(one, feeds, wrt, of)).error).toBeLessThan(FINITE_DIFFERENCE)
    await one.dispose()
  })

  test('equals the two rules one after the other, which apply where the probabilities are asked for', async () => {
    const one = await loadGraph(graphOf({ nodes, inputs, outputs: ['c'], constants: new Map() }))
    const whole = await one.ask({ feeds, read: [], gradient: { of, wrt: ['s'] } })
    const parts = await one.ask({ feeds, read: [], gradient: { of, wrt: ['s', 'p'] } })
    const [left, right] = [whole, parts].map((answer) => (answer.gradients['s'] as FloatTensor).data)
    expect(relativeDifference(left as Float32Array, right as Float32Array)).toBeLessThan(FLOAT32)
    expect((parts.gradients['p'] as FloatTensor).dims).toEqual([2, 2, 4, 5])
    await one.dispose()
  })

  test('behind torch’s guard for rows that are masked altogether: they get no gradient', async () => {
    const guard = [
      node('Softmax', ['s'], ['soft']),
      node('IsNaN', ['soft'], ['n']),
      node('Where', ['n', 'zero', 'soft'], ['p']),
      node('MatMul', ['p', 'v'], ['c']),
    ]
    const graph = graphOf({ nodes: guard, inputs, outputs: ['c'], constants: new Map([['zero', scalar(0)]]) })
    expect(await found(graph)).toBe(1)
    expect(await found(graph, ['soft'])).toBe(0)
    const one = await loadGraph(graph)
    expect((await checkGradient(one, feeds, ['s', 'v'], of)).error).toBeLessThan(FINITE_DIFFERENCE)
    const masked = float32(Float32Array.from(feeds.s.data), feeds.s.dims)
    masked.data.fill(-Infinity, 0, 5)
    const { gradients } = await one.ask({ feeds: { ...feeds, s: masked }, read: [], gradient: { of, wrt: ['s'] } })
    const gradient = (gradients['s'] as FloatTensor).data
    expect([...gradient.subarray(0, 5)].map(Math.abs)).toEqual([0, 0, 0, 0, 0])
    expect(gradient.every(Number.isFinite)).toBe(true)
    await one.dispose()
  })

  test('another axis, or values with more rows than the probabilities, are left to the rules', async () => {
    const sideways = [node('Softmax', ['s'], ['p'], { axis: { kind: 'int', value: 2 } }), ...nodes.slice(1)]
    const other = graphOf({ nodes: sideways, inputs, outputs: ['c'], constants: new Map() })
    expect(await found(other)).toBe(0)
    const one = await loadGraph(other)
    expect((await checkGradient(one, feeds, ['s', 'v'], of)).error).toBeLessThan(FINITE_DIFFERENCE)
    await one.dispose()
    const wide = [
      { name: 's', type: DataType.float, shape: [1, 2, 4, 5] },
      { name: 'v', type: DataType.float, shape: [3, 2, 5, 3] },
    ]
    const broadcast = graphOf({ nodes, inputs: wide, outputs: ['c'], constants: new Map() })
    expect(await found(broadcast)).toBe(0)
    const two = await loadGraph(broadcast)
    const given = { s: floats([1, 2, 4, 5], 1), v: floats([3, 2, 5, 3], 2) }
    const check = await checkGradient(two, given, ['s', 'v'], { c: floats([3, 2, 4, 3], 3) })
    expect(check.error).toBeLessThan(FINITE_DIFFERENCE)
    await two.dispose()
  })
})

describe('a maximum over rectified values', () => {
  const inputs = [{ name: 'x', type: DataType.float, shape: ['rows', 4, 6, 8] }]
  const pool = node('MaxPool', ['r'], ['y'], {
    kernel_shape: { kind: 'ints', value: [3, 3] },
    strides: { kind: 'ints', value: [2, 2] },
    pads: { kind: 'ints', value: [1, 1, 1, 1] },
  })
  const bounds = new Map([
    ['low', scalar(0)],
    ['high', scalar(0.7)],
  ])

  test.each([
    ['Relu', node('Relu', ['x'], ['r'])],
    ['Clip', node('Clip', ['x', 'low', 'high'], ['r'])],
  ])('%s: equals the two rules one after the other', async (_, activation) => {
    const graph = graphOf({ nodes: [activation, pool], inputs, outputs: ['y'], constants: bounds })
    expect(await found(graph)).toBe(1)
    expect(await found(graph, ['r'])).toBe(0)
    const one = await loadGraph(graph)
    // Windows that are shut altogether, and windows at both bounds.
    const x = floats([2, 4, 6, 8], 21)
    x.data.fill(-1, 0, 60)
    x.data.fill(2, 100, 160)
    const of = { y: floats([2, 4, 3, 4], 22) }
    const ask = async (wrt: readonly string[]): Promise<Float32Array> =>
      // A mask makes -0 of a negative cotangent.
      ((await one.ask({ feeds: { x }, read: [], gradient: { of, wrt } })).gradients['x'] as FloatTensor).data.map(
        (value) => value + 0,
      )
    const whole = await ask(['x'])
    expect(whole).toEqual(await ask(['x', 'r']))
    expect(whole.some((value) => value !== 0)).toBe(true)
    expect(whole.subarray(0, 48).every((value) => value === 0)).toBe(true)
    await one.dispose()
  })

  const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value })
  const windows: readonly (readonly [string, Readonly<Record<string, Attribute>>, readonly number[]])[] = [
    ['2x2 side by side', { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }, [3, 4]],
    ['3x3 overlapping, no padding', { kernel_shape: ints([3, 3]), strides: ints([2, 2]) }, [2, 3]],
    ['3x3 at every place', { kernel_shape: ints([3, 3]), strides: ints([1, 1]), pads: ints([1, 1, 1, 1]) }, [6, 8]],
    ['gaps between windows', { kernel_shape: ints([1, 2]), strides: ints([3, 4]) }, [2, 2]],
    [
      'wide strides, uneven padding',
      { kernel_shape: ints([5, 4]), strides: ints([3, 2]), pads: ints([2, 0, 1, 3]) },
      [2, 4],
    ],
    ['one axis', { kernel_shape: ints([1, 3]), strides: ints([1, 2]), pads: ints([0, 1, 0, 1]) }, [6, 4]],
    ['strides that do not divide', { kernel_shape: ints([2, 2]), strides: ints([4, 3]) }, [2, 3]],
    [
      'beyond the padding',
      { kernel_shape: ints([3, 3]), strides: ints([2, 2]), ceil_mode: { kind: 'int', value: 1 } },
      [3, 4],
    ],
    ['dilated', { kernel_shape: ints([2, 2]), strides: ints([2, 2]), dilations: ints([2, 2]) }, [2, 3]],
  ]
  test.each(windows)('%s: equals the two rules, ties to the first', async (_, attributes, [height = 0, width = 0]) => {
    const nodes = [node('Relu', ['x'], ['r']), node('MaxPool', ['r'], ['y'], attributes)]
    const one = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants: new Map() }))
    // Few different values, so that most windows have several maxima.
    const x = float32(
      floats([2, 4, 6, 8], 31).data.map((value) => Math.round(2 * value)),
      [2, 4, 6, 8],
    )
    const of = { y: floats([2, 4, height, width], 32) }
    const gradient = async (wrt: readonly string[]): Promise<Float32Array> =>
      ((await one.ask({ feeds: { x }, read: [], gradient: { of, wrt } })).gradients['x'] as FloatTensor).data
    const literal = await gradient(['x', 'r'])
    expect(literal.filter((value) => value !== 0).length).toBeGreaterThan(4)
    expect(relativeDifference(await gradient(['x']), literal)).toBeLessThan(FLOAT32)
    await one.dispose()
  })

  test('a bent rule is not passed over', async () => {
    const nodes = [node('Relu', ['x'], ['r']), pool]
    const one = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants: new Map() }))
    const x = float32(new Float32Array(192).fill(1), [1, 4, 6, 8])
    const of = { y: float32(new Float32Array(48).fill(-1), [1, 4, 3, 4]) }
    const { gradients } = await one.ask({
      feeds: { x },
      read: [],
      gradient: { of, wrt: ['x'], rules: { id: 'guided-relu' } },
    })
    expect((gradients['x'] as FloatTensor).data.every((value) => value === 0)).toBe(true)
    await one.dispose()
  })
})
