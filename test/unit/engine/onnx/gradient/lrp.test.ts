/** LRP: Captum's relevance, a literal propagation of every rule, and conservation on whole networks. */
import { describe, expect, test } from 'vitest'
import type { RuleSet } from '../../../../../lib/engine/model.ts'
import { floatConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type Attribute, type GraphNode } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { loadOnnxModel } from '../../../../../lib/engine/onnx/model/load.ts'
import { float32, row, sizeOf, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import { captumGoldens, captumModel } from '../../../../helpers/captum-network.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'
import { FLOAT32, NETWORK_GRADIENT, relativeDifference } from '../../../../helpers/tolerance.ts'

const floats = (dims: readonly number[], seed: number): FloatTensor => float32(normals(sizeOf(dims), seed), dims)
const dataOf = (tensor: FloatTensor | undefined): Float32Array => (tensor as FloatTensor).data

/** Gradient times input, and the value and gradient of further taps. */
async function relevance(
  nodes: readonly GraphNode[],
  constants: Readonly<Record<string, FloatTensor>>,
  x: FloatTensor,
  rules: RuleSet,
): Promise<{ readonly relevance: number[]; readonly y: FloatTensor; readonly g: FloatTensor }> {
  const model = await loadGraph(
    graphOf({
      nodes,
      inputs: [{ name: 'x', type: DataType.float, shape: ['rows', ...x.dims.slice(1)] }],
      outputs: ['y'],
      constants: new Map(Object.entries(constants).map(([name, { data, dims }]) => [name, floatConstant(data, dims)])),
    }),
  )
  try {
    const { values } = await model.ask({ feeds: { x }, read: ['y'] })
    const y = values['y'] as FloatTensor
    const g = floats(y.dims, 77)
    const { gradients } = await model.ask({ feeds: { x }, read: [], gradient: { of: { y: g }, wrt: ['x'], rules } })
    const found = dataOf(gradients['x'])
    return { relevance: [...x.data].map((value, at) => value * (found[at] ?? NaN)), y, g }
  } finally {
    await model.dispose()
  }
}

describe('equals Captum', () => {
  test.each(captumGoldens().lrp.map((one) => [one.name, one] as const))('%s', async (_, golden) => {
    const model = await loadGraph(graphOf(captumModel(golden)))
    const byTap = Object.fromEntries(
      golden.rules.map(([at, kind, value]) => {
        const skipped = golden.skips.some(([place]) => place === at)
        return [`${skipped ? 'before' : 'layer'} ${at}`, { params: kind === 'epsilon' ? { epsilon: value } : { gamma: value } }] // prettier-ignore
      }),
    )
    const classes = model.taps.find((tap) => tap.id === model.logits)?.shape[1] ?? 0
    const of = float32(Array.from({ length: 2 * classes }, (_, at) => (at % classes === Math.floor(at / classes) ? 1 : 0)), [2, classes]) // prettier-ignore
    const rules = { id: 'lrp', params: { epsilon: 1e-9 }, byTap }
    const { gradients } = await model.ask({
      feeds: { x: golden.x },
      read: [],
      gradient: { of: { [model.logits]: of }, wrt: ['x'], rules },
    })
    const found = dataOf(gradients['x']).map((value, at) => value * (golden.x.data[at] ?? NaN))
    expect(relativeDifference(found, golden.expected.data)).toBeLessThan(NETWORK_GRADIENT)
    // Two rows at once are two rows one by one.
    const alone = await model.ask({
      feeds: { x: float32(row(golden.x, 1).data, [1, ...golden.x.dims.slice(1)]) },
      read: [],
      gradient: { of: { [model.logits]: float32(row(of, 1).data, [1, classes]) }, wrt: ['x'], rules },
    })
    expect(relativeDifference(dataOf(gradients['x']).subarray(found.length / 2), dataOf(alone.gradients['x']))).toBeLessThan(FLOAT32) // prettier-ignore
    await model.dispose()
  })
})

describe('a linear map, literally', () => {
  const [x, w, b] = [floats([2, 5], 1), floats([5, 4], 2), floats([4], 3)]
  const int = (value: number): Attribute => ({ kind: 'int', value })
  /** R_j = Σ_k x_j (w_jk + γ w_jk⁺) / (z_k + ε sign z_k) R_k, w with its factor, z with its bias. */
  const literal = (
    { y, g }: { readonly y: FloatTensor; readonly g: FloatTensor },
    {
      epsilon,
      gamma,
      factor = 1,
      bias = 1,
    }: { readonly epsilon: number; readonly gamma: number; readonly factor?: number; readonly bias?: number },
  ): number[] =>
    [0, 1].flatMap((n) => {
      const xs = [...x.data.subarray(5 * n, 5 * n + 5)]
      const weight = (j: number, k: number): number => {
        const own = factor * (w.data[4 * j + k] ?? NaN)
        return own + gamma * Math.max(own, 0)
      }
      return xs.map((value, j) =>
        [0, 1, 2, 3].reduce((sum, k) => {
          const z = xs.reduce((all, one, i) => all + one * weight(i, k), bias * (b.data[k] ?? NaN))
          const handed = (y.data[4 * n + k] ?? NaN) * (g.data[4 * n + k] ?? NaN)
          return sum + ((value * weight(j, k)) / (z + (z < 0 ? -epsilon : epsilon))) * handed
        }, 0),
      )
    })
  const spellings: readonly (readonly [string, readonly GraphNode[], object])[] = [
    ['Gemm', [node('Gemm', ['x', 'w', 'b'], ['y'])], {}],
    ['a product and a bias', [node('MatMul', ['x', 'w'], ['p']), node('Add', ['p', 'b'], ['y'])], {}],
    ['a bias and a product', [node('MatMul', ['x', 'w'], ['p']), node('Add', ['b', 'p'], ['y'])], {}],
    ['a product alone', [node('MatMul', ['x', 'w'], ['y'])], { bias: 0 }],
    [
      'Gemm with a negative factor',
      [
        node('Gemm', ['x', 'w', 'b'], ['y'], {
          alpha: { kind: 'float', value: -0.5 },
          beta: { kind: 'float', value: 2 },
        }),
      ],
      { factor: -0.5, bias: 2 },
    ],
    ['turned weights', [node('Transpose', ['w'], ['t'], { perm: { kind: 'ints', value: [1, 0] } }), node('Gemm', ['x', 't', 'b'], ['y'], { transB: int(1) })], {}], // prettier-ignore
  ]
  const strengths = [
    { epsilon: 0, gamma: 0 },
    { epsilon: 0.3, gamma: 0 },
    { epsilon: 0, gamma: 0.5 },
    { epsilon: 0.2, gamma: 0.25 },
  ]
  const cases = spellings.flatMap(([name, nodes, more]) =>
    strengths.map((params) => [name, params, nodes, more] as const),
  )
  test.each(cases)('%s, %j', async (_, params, nodes, more) => {
    const found = await relevance(nodes, { w, b }, x, { id: 'lrp', params })
    expect(relativeDifference(found.relevance, literal(found, { ...params, ...more }))).toBeLessThan(1e-4) // small denominators
  })

  test('where the sum is 0 nothing is handed on, and nothing is infinite', async () => {
    const zeros = float32(new Float32Array(20), [5, 4])
    for (const params of strengths) {
      const found = await relevance([node('MatMul', ['x', 'w'], ['y'])], { w: zeros }, x, { id: 'lrp', params })
      expect(found.relevance.map(Math.abs)).toEqual(new Array<number>(10).fill(0))
    }
  })

  test.each(strengths)('batch normalisation is an affine map by itself: %j', async (params) => {
    const image = floats([2, 3, 2, 2], 5)
    const [scale, shift, mean, spread] = [5, 6, 7, 8].map((seed) => floats([3], seed)) as [FloatTensor, FloatTensor, FloatTensor, FloatTensor] // prettier-ignore
    const variance = float32(spread.data.map((value) => value * value + 0.2), [3]) // prettier-ignore
    const nodes = [node('BatchNormalization', ['x', 'scale', 'shift', 'mean', 'variance'], ['y'])]
    const found = await relevance(nodes, { scale, shift, mean, variance }, image, { id: 'lrp', params })
    const expected = [...image.data].map((value, at) => {
      const c = Math.floor(at / 4) % 3
      const s = (scale.data[c] ?? 0) / Math.sqrt((variance.data[c] ?? 0) + 1e-5)
      const raised = s + params.gamma * Math.max(s, 0)
      const z = value * raised + (shift.data[c] ?? 0) - (mean.data[c] ?? 0) * s
      const handed = (found.y.data[at] ?? NaN) * (found.g.data[at] ?? NaN)
      return ((value * raised) / (z + (z < 0 ? -params.epsilon : params.epsilon))) * handed
    })
    expect(relativeDifference(found.relevance, expected)).toBeLessThan(1e-4)
  })
})

describe('what passes all relevance on', () => {
  const x = floats([2, 2, 4, 4], 4)
  const window = { kernel_shape: { kind: 'ints', value: [2, 2] }, strides: { kind: 'ints', value: [2, 2] } } as const
  const erf = [
    node('Div', ['x', 'root'], ['t']), node('Erf', ['t'], ['e']), node('Add', ['e', 'one'], ['f']),
    node('Mul', ['x', 'f'], ['m']), node('Mul', ['m', 'half'], ['y']),
  ] // prettier-ignore
  const scalars = {
    root: float32([Math.SQRT2], []),
    one: float32([1], []),
    half: float32([0.5], []),
    zero: float32([0], []),
  }
  const cases: readonly (readonly [string, readonly GraphNode[]])[] = [
    ['Relu', [node('Relu', ['x'], ['y'])]],
    ['Tanh', [node('Tanh', ['x'], ['y'])]],
    ['LeakyRelu', [node('LeakyRelu', ['x'], ['y'])]],
    ['Clip', [node('Clip', ['x', 'zero', 'one'], ['y'])]],
    ['Gelu, spelled out', erf],
    ['SiLU, spelled out', [node('Sigmoid', ['x'], ['s']), node('Mul', ['x', 's'], ['y'])]],
    ['AveragePool', [node('AveragePool', ['x'], ['y'], window)]],
    ['MaxPool', [node('MaxPool', ['x'], ['y'], window)]],
    ['GlobalAveragePool', [node('GlobalAveragePool', ['x'], ['y'])]],
    ['a residual sum', [node('Tanh', ['x'], ['t']), node('Add', ['x', 't'], ['y'])]],
  ]
  test.each(cases)('%s', async (_, nodes) => {
    const found = await relevance(nodes, scalars, x, { id: 'lrp' })
    const total = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, value) => sum + value, 0)
    const handed = [...found.y.data].map((value, at) => value * (found.g.data[at] ?? NaN))
    // Row by row.
    for (const at of [0, 1])
      expect(total(found.relevance.slice(32 * at, 32 * at + 32))).toBeCloseTo(
        total(handed.slice((handed.length / 2) * at, (handed.length / 2) * (at + 1))),
        4,
      )
  })

  test('a sum shares in proportion', async () => {
    const nodes = [node('Tanh', ['x'], ['t']), node('Sub', ['t', 'one'], ['u']), node('Add', ['u', 'x'], ['y'])]
    const found = await relevance(nodes, scalars, x, { id: 'lrp' })
    const expected = [...x.data].map((value, at) => (value + Math.tanh(value)) * (found.g.data[at] ?? NaN))
    expect(relativeDifference(found.relevance, expected)).toBeLessThan(FLOAT32)
  })
})

describe('what LRP has no rule for is refused by name', () => {
  const product = [node('Tanh', ['x'], ['t']), node('Mul', ['x', 't'], ['y'])]
  test.each<readonly [string, readonly GraphNode[]]>([
    ['Mul', product],
    ['Div', [node('Exp', ['x'], ['t']), node('Div', ['x', 't'], ['y'])]],
    [
      'MatMul',
      [
        node('Transpose', ['x'], ['t'], { perm: { kind: 'ints', value: [0, 2, 1] } }),
        node('MatMul', ['x', 't'], ['y']),
      ],
    ],
    ['Softmax', [node('Softmax', ['x'], ['y'])]],
  ])('%s', async (operator, nodes) => {
    await expect(relevance(nodes, {}, floats([2, 3, 3], 1), { id: 'lrp' })).rejects.toMatchObject({
      code: 'NOT_DIFFERENTIABLE',
      message: expect.stringContaining(`No gradient rule for ${operator} (`) as unknown,
    })
  })

  test('where only one factor depends on the input it is a weight', async () => {
    const found = await relevance([node('Mul', ['x', 'w'], ['y'])], { w: floats([3], 2) }, floats([2, 3], 1), {
      id: 'lrp',
    })
    const expected = [...found.y.data].map((value, at) => value * (found.g.data[at] ?? NaN))
    expect(relativeDifference(found.relevance, expected)).toBeLessThan(FLOAT32)
  })
})

test.each(['alexnet', 'vgg-bn', 'squeezenet', 'mobilenet-v2', 'resnet', 'googlenet'])(
  '%s: the z rule is the gradient between rectifiers; ε and γ differ from it, and all is finite',
  async (stem) => {
    const model = await loadOnnxModel(`test/fixtures/networks/${stem}.onnx`, { threads: 1 })
    const [, ...shape] = model.taps.find((tap) => tap.kind === 'input')?.shape ?? []
    const dims = [2, ...shape.map((dim) => dim ?? 1)]
    const [name = ''] = model.inputs
    const x = floats(dims, 6)
    const { values } = await model.ask({ feeds: { [name]: x }, read: [model.logits] })
    const classes = (values[model.logits] as FloatTensor).dims[1] ?? 0
    const of = { [model.logits]: floats([2, classes], 7) }
    const ask = async (rules?: RuleSet): Promise<Float32Array> => {
      const gradient = { of, wrt: [name], ...(rules && { rules }) }
      return dataOf((await model.ask({ feeds: { [name]: x }, read: [], gradient })).gradients[name])
    }
    const z = await ask({ id: 'lrp', params: { epsilon: 0 } })
    const bounded = model.taps.some((tap) => tap.operator === 'Clip')
    if (!bounded) expect(relativeDifference(z, await ask())).toBeLessThan(NETWORK_GRADIENT)
    for (const params of [{ epsilon: 0.1 }, { epsilon: 1e-6, gamma: 0.25 }]) {
      const found = await ask({ id: 'lrp', params })
      expect(found.every(Number.isFinite)).toBe(true)
      expect(relativeDifference(found, z)).toBeGreaterThan(1e-3)
    }
    await model.dispose()
  },
)
