/** Attention weights are taps [N, heads, T, T], however a file writes attention: chains, fused operators, folded heads. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { ExplainableModel, Tap } from '../../../../../lib/engine/model.ts'
import { RULE_SETS } from '../../../../../lib/engine/onnx/gradient/rule-sets/index.ts'
import { ruleSet, whole } from '../../../../../lib/engine/onnx/gradient/rule-sets/rule-set.ts'
import { floatConstant, intConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type Attribute, type Constant, type GraphNode } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { loadOnnxModel, seen } from '../../../../../lib/engine/onnx/model/load.ts'
import { attention } from '../../../../../lib/engine/onnx/operators/rules/attention.ts'
import { float32, type FloatTensor, type Tensor } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'
import { FLOAT32, relativeDifference } from '../../../../helpers/tolerance.ts'

// N rows, T tokens, H heads of D features.
const [N, T, H, D] = [3, 5, 2, 4] as const
const E = H * D
const MS = 'com.microsoft'
const ints = (...value: number[]): Attribute => ({ kind: 'ints', value })
const int = (value: number): Attribute => ({ kind: 'int', value })

const WEIGHTS = ['q', 'k', 'v'].map((name, at) => [name, normals(E * E, 10 + at).map((one) => one / 2)] as const)
const constants = new Map<string, Constant>([
  ...WEIGHTS.map(([name, values]) => [`w${name}`, floatConstant(values, [E, E])] as const),
  ['packed', floatConstant(packed(), [E, 3 * E])],
  ['bias', floatConstant(new Float32Array(3 * E), [3 * E])],
  ['split', intConstant([0, 0, H, D])],
  ['join', intConstant([0, 0, E])],
  ['fold', intConstant([-1, T, D])],
  ['unfold', intConstant([-1, H, T, D])],
  ['last', intConstant([-1])],
  ['zero', intConstant([0], [])],
  ['scale', floatConstant([1 / Math.sqrt(D)], [])],
  ['none', floatConstant([0], [])],
])

/** [E, 3 E]: the three projections side by side. */
function packed(): Float32Array {
  return Float32Array.from({ length: E * 3 * E }, (_, at) => {
    const [row, column] = [Math.floor(at / (3 * E)), at % (3 * E)]
    return WEIGHTS[Math.floor(column / E)]?.[1][row * E + (column % E)] ?? NaN
  })
}

const projected = WEIGHTS.map(([name]) => node('MatMul', ['h', `w${name}`], [name]))
const inHeads = WEIGHTS.flatMap(([name]) => [
  node('Reshape', [name, 'split'], [`${name}s`]),
  node('Transpose', [`${name}s`], [`${name}h`], { perm: ints(0, 2, 1, 3) }),
])
const joined = [node('Transpose', ['yh'], ['yt'], { perm: ints(0, 2, 1, 3) }), node('Reshape', ['yt', 'join'], ['y'])]
const scores = (q: string, k: string, axes: readonly number[]): GraphNode[] => [
  node('Transpose', [k], ['kt'], { perm: ints(...axes) }),
  node('MatMul', [q, 'kt'], ['product']),
  node('Mul', ['product', 'scale'], ['scores']),
]
const chain = scores('qh', 'kh', [0, 1, 3, 2])
const softmax = node('Softmax', ['scores'], ['p'], { axis: int(-1) })
const valued = (p: string): GraphNode => node('MatMul', [p, 'vh'], ['yh'])
const fold = WEIGHTS.map(([name]) => node('Reshape', [`${name}h`, 'fold'], [`${name}f`]))

/** Spelling -> its nodes, and the tap of its weights. */
const SPELLINGS: Readonly<Record<string, readonly [readonly GraphNode[], string]>> = {
  chain: [[...projected, ...inHeads, ...chain, softmax, valued('p'), ...joined], 'p'],
  "with torch's guard": [
    [
      ...projected, ...inHeads, ...chain, softmax,
      node('IsNaN', ['p'], ['closed']), node('Where', ['closed', 'none', 'p'], ['g']), valued('g'), ...joined,
    ],
    'g',
  ],
  'softmax in exponentials': [
    [
      ...projected, ...inHeads, ...chain,
      node('ReduceMax', ['scores', 'last'], ['m'], { keepdims: int(1) }),
      node('Sub', ['scores', 'm'], ['shifted']),
      node('Exp', ['shifted'], ['e']),
      node('ReduceSum', ['e', 'last'], ['total'], { keepdims: int(1) }),
      node('Div', ['e', 'total'], ['p']),
      valued('p'), ...joined,
    ],
    'p',
  ],
  Einsum: [
    [
      ...projected,
      ...WEIGHTS.map(([name]) => node('Reshape', [name, 'split'], [`${name}s`])),
      node('Einsum', ['qs', 'ks'], ['product'], { equation: { kind: 'string', value: 'bqhd,bkhd->bhqk' } }),
      node('Mul', ['product', 'scale'], ['scores']),
      softmax,
      node('Einsum', ['p', 'vs'], ['yt'], { equation: { kind: 'string', value: 'bhqk,bkhd->bqhd' } }),
      node('Reshape', ['yt', 'join'], ['y']),
    ],
    'p',
  ],
  'heads folded into rows': [
    [
      ...projected, ...inHeads, ...fold, ...scores('qf', 'kf', [0, 2, 1]), softmax,
      node('MatMul', ['p', 'vf'], ['yf']), node('Reshape', ['yf', 'unfold'], ['yh']), ...joined,
    ],
    'p/weights',
  ],
  'operator, four axes': [[...projected, ...inHeads, node('Attention', ['qh', 'kh', 'vh'], ['yh']), ...joined], 'yh/weights'],
  'operator, three axes': [
    [...projected, node('Attention', ['q', 'k', 'v'], ['y'], { q_num_heads: int(H), kv_num_heads: int(H) })],
    'y/weights',
  ],
  MultiHeadAttention: [[...projected, node('MultiHeadAttention', ['q', 'k', 'v'], ['y'], { num_heads: int(H) }, MS)], 'y/Softmax_'],
  'fused Attention': [[node('Attention', ['h', 'packed', 'bias'], ['y'], { num_heads: int(H) }, MS)], 'y/Softmax_'],
} // prettier-ignore

const hidden = float32(normals(N * T * E, 1), [N, T, E])
const cotangent = float32(normals(N * T * E, 2), [N, T, E])

function load(nodes: readonly GraphNode[], more: Partial<Parameters<typeof graphOf>[0]> = {}, sets = RULE_SETS): Promise<ExplainableModel> {
  const graph = graphOf({
    nodes, inputs: [{ name: 'h', type: DataType.float, shape: ['rows', T, E] }], outputs: ['y'], constants, opset: 23, domains: [MS], ...more,
  })
  return loadGraph(graph, sets, seen)
} // prettier-ignore

const weightsIn = (model: ExplainableModel): readonly Tap[] => model.taps.filter((tap) => tap.looksAt !== undefined)

/** softmax(Q Kᵀ / sqrt D) and the gradient of <cotangent, P V> for it, C Vᵀ: [N, H, T, T] each. */
function literal(): { readonly weights: Float32Array; readonly gradient: Float32Array } {
  const projections = WEIGHTS.map(([, w]) => (n: number, t: number, h: number, d: number): number => {
    let sum = 0
    for (let e = 0; e < E; e++) sum += (hidden.data[(n * T + t) * E + e] ?? NaN) * (w[e * E + h * D + d] ?? NaN)
    return sum
  })
  const [q, k, v] = projections as [(typeof projections)[0], (typeof projections)[0], (typeof projections)[0]]
  const [weights, gradient] = [new Float32Array(N * H * T * T), new Float32Array(N * H * T * T)]
  for (let n = 0; n < N; n++)
    for (let h = 0; h < H; h++)
      for (let t = 0; t < T; t++) {
        const row = Array.from({ length: T }, (_, s) => {
          let sum = 0
          for (let d = 0; d < D; d++) sum += q(n, t, h, d) * k(n, s, h, d)
          return Math.exp(sum / Math.sqrt(D))
        })
        const total = row.reduce((sum, one) => sum + one, 0)
        for (let s = 0; s < T; s++) {
          const at = ((n * H + h) * T + t) * T + s
          weights[at] = (row[s] ?? NaN) / total
          let slope = 0
          for (let d = 0; d < D; d++) slope += (cotangent.data[(n * T + t) * E + h * D + d] ?? NaN) * v(n, s, h, d)
          gradient[at] = slope
        }
      }
  return { weights, gradient }
}

describe.each(Object.entries(SPELLINGS))('%s', (_spelling, [nodes, id]) => {
  test('its weights and their gradient are those of softmax(Q Kᵀ / sqrt D); it answers as without the question', async () => {
    const model = await load(nodes)
    const [tap, ...others] = weightsIn(model)
    expect(others).toEqual([])
    expect(tap).toMatchObject({ kind: 'attention', looksAt: 'self', shape: [null, H, T, T], differentiable: true })
    expect(tap?.id.slice(0, id.length)).toBe(id)
    const name = tap?.id ?? ''
    const feeds = { h: hidden }
    const plain = await model.ask({ feeds, read: ['y'] })
    const gradient = { of: { y: cotangent }, wrt: [name] }
    const answer = await model.ask({ feeds, read: [name, 'y'], gradient })
    const expected = literal()
    expect(answer.values[name]?.dims).toEqual([N, H, T, T])
    expect(relativeDifference(answer.values[name]?.data ?? [], expected.weights)).toBeLessThan(FLOAT32)
    expect(relativeDifference(answer.gradients[name]?.data ?? [], expected.gradient)).toBeLessThan(FLOAT32)
    expect(relativeDifference(answer.values['y']?.data ?? [], plain.values['y']?.data ?? [])).toBeLessThan(FLOAT32)
    // Replaced, they are what the values are weighted by.
    const doubled = float32(
      (answer.values[name] as FloatTensor).data.map((one) => 2 * one),
      [N, H, T, T],
    )
    const replaced = await model.ask({ feeds, from: { [name]: doubled }, read: ['y'] })
    const twice = plain.values['y']?.data.map((one) => 2 * one) ?? []
    expect(relativeDifference(replaced.values['y']?.data ?? [], twice)).toBeLessThan(FLOAT32)
    await model.dispose()
  })
})

describe('the operator', () => {
  const projections = [...projected, ...inHeads]
  const fed: Record<string, Tensor> = { h: hidden }
  const weightsOf = async (nodes: readonly GraphNode[], feeds = fed, inputs: readonly { name: string; type: number; shape: number[] }[] = []): Promise<{ weights: FloatTensor; y: FloatTensor; plain: FloatTensor }> => {
    const model = await load([...projections, ...nodes, ...joined], { inputs: [{ name: 'h', type: DataType.float, shape: ['rows', T, E] }, ...inputs] })
    const [tap] = weightsIn(model)
    const { values } = await model.ask({ feeds, read: [tap?.id ?? '', 'y'] })
    const plain = await model.ask({ feeds, read: ['y'] })
    await model.dispose()
    return { weights: values[tap?.id ?? ''] as FloatTensor, y: values['y'] as FloatTensor, plain: plain.values['y'] as FloatTensor }
  } // prettier-ignore

  test('causal: nothing looks ahead', async () => {
    const { weights, y, plain } = await weightsOf([
      node('Attention', ['qh', 'kh', 'vh'], ['yh'], { is_causal: int(1) }),
    ])
    weights.data.forEach((one, at) => {
      if (at % T > Math.floor(at / T) % T) expect(one).toBe(0)
    })
    expect(relativeDifference(y.data, plain.data)).toBeLessThan(FLOAT32)
  })
  test('masked: a query that no key is open to has no weights, and no values', async () => {
    const mask: Tensor = { type: 'bool', dims: [T, T], data: new Uint8Array(T * T).map((_, at) => (at < T || at % T === 1 ? 0 : 1)) }
    const { weights, y, plain } = await weightsOf(
      [node('Attention', ['qh', 'kh', 'vh', 'mask'], ['yh'])],
      { h: hidden, mask },
      [{ name: 'mask', type: DataType.bool, shape: [T, T] }],
    )
    const rows = Array.from({ length: N * H * T }, (_, row) => weights.data.slice(row * T, row * T + T))
    rows.forEach((row, at) => {
      expect(row.reduce((sum, one) => sum + one, 0)).toBeCloseTo(at % T === 0 ? 0 : 1, 5)
      expect(row[1]).toBe(0)
    })
    expect(relativeDifference(y.data, plain.data)).toBeLessThan(FLOAT32)
  }) // prettier-ignore
  test('with fewer heads of keys than of queries: one map a head of the queries', async () => {
    const first = new Map([...constants, ['one', intConstant([1])], ['start', intConstant([0])]])
    const slices = ['k', 'v'].map((name) => node('Slice', [`${name}h`, 'start', 'one', 'one'], [`${name}1`]))
    const model = await load([...projections, ...slices, node('Attention', ['qh', 'k1', 'v1'], ['yh']), ...joined], { constants: first })
    const [tap] = weightsIn(model)
    expect(tap).toMatchObject({ looksAt: 'self', shape: [null, H, T, T] })
    const name = tap?.id ?? ''
    const gradient = { of: { y: cotangent }, wrt: [name] }
    const answer = await model.ask({ feeds: fed, read: [name, 'y'], gradient })
    const plain = await model.ask({ feeds: fed, read: ['y'] })
    expect(relativeDifference(answer.values['y']?.data ?? [], plain.values['y']?.data ?? [])).toBeLessThan(FLOAT32)
    const own = literal()
    const head = (data: ArrayLike<number>, n: number): number[] => Array.from(data).slice(n * H * T * T, n * H * T * T + T * T)
    for (let n = 0; n < N; n++) {
      expect(relativeDifference(head(answer.values[name]?.data ?? [], n), head(own.weights, n))).toBeLessThan(FLOAT32)
      expect(relativeDifference(head(answer.gradients[name]?.data ?? [], n), head(own.gradient, n))).toBeLessThan(FLOAT32)
    }
    await model.dispose()
  }) // prettier-ignore
  test('under a rule set that bends it as a whole its weights have no gradient, and can be read', async () => {
    const blunt = ruleSet({
      id: 'blunt',
      summary: 'Attention as one.',
      params: z.strictObject({}),
      needsReference: false,
      rules: { Attention: whole(attention) },
    })
    const model = await load([...projections, node('Attention', ['qh', 'kh', 'vh'], ['yh']), ...joined], {}, [...RULE_SETS, blunt]) // prettier-ignore
    const gradient = { of: { y: cotangent }, wrt: ['yh/weights'], rules: { id: 'blunt' } }
    await expect(model.ask({ feeds: fed, read: [], gradient })).rejects.toMatchObject({ code: 'NOT_DIFFERENTIABLE' })
    await model.ask({ feeds: fed, read: ['yh/weights'] })
    await model.dispose()
  })
})

describe('what the tokens look at', () => {
  const other = [{ name: 'h', type: DataType.float, shape: ['rows', T, E] }, { name: 'o', type: DataType.float, shape: ['rows', T, E] }] // prettier-ignore
  test('another sequence, as long as their own: cross', async () => {
    const from = projected.map((one) => (one.outputs[0] === 'q' ? one : { ...one, inputs: ['o', one.inputs[1] ?? ''] }))
    for (const rest of [[...chain, softmax, valued('p')], [node('Attention', ['qh', 'kh', 'vh'], ['yh'])]]) {
      const model = await load([...from, ...inHeads, ...rest, ...joined], { inputs: other })
      expect(weightsIn(model).map(({ looksAt }) => looksAt)).toEqual(['cross'])
      await model.dispose()
    }
  })
  test('a softmax over scores that are no product is no attention', async () => {
    const gate = [
      node('MatMul', ['h', 'wq'], ['scores']),
      node('Softmax', ['scores'], ['p'], { axis: int(-1) }),
      node('MatMul', ['p', 'ht'], ['y']),
    ]
    const turned = node('Transpose', ['h'], ['ht'], { perm: ints(0, 2, 1) })
    const model = await load([turned, ...gate])
    expect(weightsIn(model)).toEqual([])
    await model.dispose()
  })
})

const file = (name: string): string => fileURLToPath(new URL(`../../../../../${name}`, import.meta.url))

describe('of whole networks', () => {
  test.each([
    ['models/reviews-minilm/model.onnx', Array.from({ length: 6 }, () => 'self')],
    ['test/fixtures/networks/bert.onnx', ['self', 'self']],
    ['test/fixtures/networks/albert.onnx', ['self', 'self']],
    ['test/fixtures/networks/gpt2.onnx', ['self', 'self']],
    ['test/fixtures/networks/deberta-v3.onnx', ['self', 'self']],
    ['test/fixtures/text-networks/modernbert.onnx', ['self', 'self']],
    ['test/fixtures/text-networks/bart.onnx', ['self', 'self', 'self', 'cross', 'self', 'cross']],
    ['test/fixtures/text-networks/t5.onnx', ['self', 'self', 'cross']],
    ['test/fixtures/networks/vit.onnx', ['self', 'self']],
    ['test/fixtures/networks/swin.onnx', ['local', 'local', 'local', 'local']],
    ['test/fixtures/networks/mobilenet-v3.onnx', []],
  ])('%s', async (path, expected) => {
    const model = await loadOnnxModel(file(path), { threads: 1 })
    const found = weightsIn(model)
    expect(found.map(({ looksAt }) => looksAt)).toEqual(expected)
    for (const tap of found) expect(tap.shape).toHaveLength(4)
    await model.dispose()
  })
  test('layers are in order, and have the name of their layer', async () => {
    const model = await loadOnnxModel(file('models/reviews-minilm/model.onnx'), { threads: 1 })
    expect(weightsIn(model).map(({ id }) => id)).toEqual(
      Array.from({ length: 6 }, (_, layer) => `/encoder/layer.${layer}/attention/self/probs`),
    )
    await model.dispose()
  })
  test('a fused one: every row of every layer sums to 1, and later layers depend on earlier ones', async () => {
    const model = await loadOnnxModel(file('test/fixtures/networks/bert.onnx'), { threads: 1 })
    const [first = '', second = ''] = weightsIn(model).map(({ id }) => id)
    const dims = [2, 7]
    const ids = (value: (at: number) => number): Tensor => ({ type: 'int64', dims, data: BigInt64Array.from({ length: 14 }, (_, at) => BigInt(value(at))) }) // prettier-ignore
    const feeds = { input_ids: ids((at) => at + 1), attention_mask: ids((at) => (at === 13 ? 0 : 1)), token_type_ids: ids(() => 0) } // prettier-ignore
    const { values } = await model.ask({ feeds, read: [first, second] })
    for (const tensor of Object.values(values)) {
      expect(tensor.dims).toEqual([2, 2, 7, 7])
      const rows = Array.from({ length: 28 }, (_, row) => tensor.data.slice(row * 7, row * 7 + 7))
      for (const row of rows) expect(row.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 5)
      expect(rows.slice(14).map((row) => row[6])).toEqual(Array.from({ length: 14 }, () => 0))
    }
    const off = float32(new Float32Array(2 * 2 * 7 * 7), [2, 2, 7, 7])
    const changed = await model.ask({ feeds, from: { [first]: off }, read: [second] })
    expect(relativeDifference(changed.values[second]?.data ?? [], values[second]?.data ?? [])).toBeGreaterThan(1e-3)
    await model.dispose()
  })
})
