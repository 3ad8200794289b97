/**
 * Rule sets for transformers (AttnLRP, CP-LRP, LibraGrad): nothing is lost between input and output of networks without biases,
 * but what AttnLRP's softmax keeps for its own; every spelling obeys; what they have no rule for is refused. The methods' tests
 * hold the same sets against PyTorch's detached references.
 */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readNetwork } from '../../../../../bench/networks/network.ts'
import type { ExplainableModel, Question, RuleSet } from '../../../../../lib/engine/model.ts'
import { floatConstant, intConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type Attribute, type Constant, type GraphNode } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { loadOnnxModel } from '../../../../../lib/engine/onnx/model/load.ts'
import { float32, sizeOf, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'
import { NETWORK_GRADIENT, relativeDifference } from '../../../../helpers/tolerance.ts'
import { loadTiny, tinyContext } from '../../../../helpers/tiny-transformer.ts'

const floats = (dims: readonly number[], seed: number): FloatTensor => float32(normals(sizeOf(dims), seed), dims)
const dataOf = (tensor: FloatTensor | undefined): Float32Array => (tensor as FloatTensor).data
/** <value, cotangent>: the relevance of a tensor. */
const relevanceOf = (value: FloatTensor | undefined, cotangent: FloatTensor | undefined): number =>
  dataOf(value).reduce((sum, one, at) => sum + one * (dataOf(cotangent)[at] ?? NaN), 0)
const SETS = ['attn-lrp', 'cp-lrp', 'libra'] as const
const text = (value: string): Attribute => ({ kind: 'string', value })
const float = (value: number): Attribute => ({ kind: 'float', value })
const ints = (...value: number[]): Attribute => ({ kind: 'ints', value })

interface Passed {
  readonly x: FloatTensor
  readonly y: FloatTensor
  /** The output's cotangent, anything. */
  readonly g: FloatTensor
  /** The input's. */
  readonly back: FloatTensor
}

async function passed(nodes: readonly GraphNode[], rules: RuleSet): Promise<Passed> {
  const x = floats([2, 4, 6], 3)
  const constants = new Map<string, Constant>(
    Object.entries({ w: [6, 6], v: [6, 6], scale: [6] }).map(([name, dims], seed) => {
      const { data } = floats(dims, 5 + seed)
      return [name, floatConstant(data, dims)] as const
    }),
  )
  for (const [name, value] of Object.entries({ two: 2, one: 1, epsilon: 1e-5 }))
    constants.set(name, floatConstant([value], []))
  constants.set('last', intConstant([-1]))
  const model = await loadGraph(
    graphOf({
      nodes,
      inputs: [{ name: 'x', type: DataType.float, shape: ['rows', 4, 6] }],
      outputs: ['y'],
      constants,
      opset: 23,
    }),
  )
  try {
    const { values } = await model.ask({ feeds: { x }, read: ['y'] })
    const g = floats((values['y'] as FloatTensor).dims, 77)
    const { gradients } = await model.ask({ feeds: { x }, read: [], gradient: { of: { y: g }, wrt: ['x'], rules } })
    return { x, y: values['y'] as FloatTensor, g, back: gradients['x'] as FloatTensor }
  } finally {
    await model.dispose()
  }
}

/** x / rms(x) scale as large language models spell it: statistics in float32, by a reciprocal, the scale in front. */
const SPELLED_RMS = [
  node('Cast', ['x'], ['wide'], { to: { kind: 'int', value: DataType.float } }),
  node('Pow', ['wide', 'two'], ['square']),
  node('ReduceMean', ['square', 'last'], ['mean']),
  node('Add', ['mean', 'epsilon'], ['safe']),
  node('Sqrt', ['safe'], ['root']),
  node('Div', ['one', 'root'], ['inverse']),
  node('Mul', ['wide', 'inverse'], ['normal']),
  node('Cast', ['normal'], ['narrow'], { to: { kind: 'int', value: DataType.float } }),
  node('Mul', ['scale', 'narrow'], ['y']),
]

const LINEAR = [node('MatMul', ['x', 'w'], ['a']), node('MatMul', ['x', 'v'], ['b'])]
const KEEPING: Readonly<Record<string, readonly GraphNode[]>> = {
  'a gated layer': [
    ...LINEAR,
    node('Sigmoid', ['a'], ['open']),
    node('Mul', ['a', 'open'], ['swish']),
    node('Mul', ['swish', 'b'], ['y']),
  ],
  'a square': [node('Mul', ['x', 'x'], ['y'])],
  'a product of matrices': [...LINEAR, node('Transpose', ['b'], ['t'], { perm: ints(0, 2, 1) }), node('MatMul', ['a', 't'], ['y'])], // prettier-ignore
  'the same as an Einsum': [...LINEAR, node('Einsum', ['a', 'b'], ['y'], { equation: text('nij,nkj->nik') })],
  'a layer normalisation': [
    node('LayerNormalization', ['x', 'scale'], ['n'], { epsilon: float(1e-5) }),
    node('Gelu', ['n'], ['y']),
  ],
  'a spelled-out root mean square': SPELLED_RMS,
  'a norm that is divided by': [
    node('Mul', ['x', 'x'], ['square']),
    node('ReduceSum', ['square'], ['sum']),
    node('Sqrt', ['sum'], ['norm']),
    node('Div', ['x', 'norm'], ['y']),
  ],
  'a reciprocal': [node('MatMul', ['x', 'w'], ['a']), node('Exp', ['a'], ['e']), node('Div', ['scale', 'e'], ['y'])],
}

describe.each(SETS)('%s', (id) => {
  test.each(Object.entries(KEEPING))('%s keeps the sum', async (_, nodes) => {
    const { x, y, g, back } = await passed(nodes, { id })
    const [before, behind] = [relevanceOf(x, back), relevanceOf(y, g)]
    expect(Math.abs(behind)).toBeGreaterThan(0.1)
    expect(Math.abs(before - behind)).toBeLessThan(1e-4 * Math.max(1, Math.abs(behind)))
  })

  test('a root mean square is held, fused or spelled out: what is left is a scale', async () => {
    const fused = node('RMSNormalization', ['x', 'scale'], ['y'], { epsilon: float(1e-5) })
    for (const nodes of [SPELLED_RMS, [fused]]) {
      const { x, y, g, back } = await passed(nodes, { id })
      const expected = Array.from(g.data, (one, at) => (one * (y.data[at] ?? NaN)) / (x.data[at] ?? NaN))
      expect(relativeDifference(back.data, expected)).toBeLessThan(NETWORK_GRADIENT)
    }
  })

  test('what it has no rule for is named', async () => {
    await expect(passed([node('LpNormalization', ['x'], ['y'])], { id })).rejects.toMatchObject({
      code: 'NOT_DIFFERENTIABLE',
      message: expect.stringMatching(/LpNormalization \((AttnLRP|CP-LRP|LibraGrad) has no rule for it/u),
    })
  })
})

describe('a transformer without biases', () => {
  let model: ExplainableModel
  let ask: (rules: RuleSet, wrt: readonly string[]) => Promise<Awaited<ReturnType<ExplainableModel['ask']>>>
  beforeAll(async () => {
    model = await loadTiny('bias-free')
    const { feeds } = tinyContext(model, { of: { id: 't', title: 't', modality: 'text', needs: [] } })
    ask = (rules, wrt) =>
      model.ask({
        feeds,
        read: [model.logits, ...wrt],
        gradient: { of: { [model.logits]: float32([0, 1, 0], [1, 3]) }, wrt, rules },
      } satisfies Question)
  })
  afterAll(() => model.dispose())
  const at = ({ values, gradients }: Awaited<ReturnType<ExplainableModel['ask']>>, tap: string): number =>
    relevanceOf(values[tap], gradients[tap])

  test.each(['cp-lrp', 'libra'])('%s: the relevance of the words is the logit', async (id) => {
    const answer = await ask({ id }, [model.defaultTap])
    const logit = dataOf(answer.values[model.logits])[1] ?? NaN
    expect(Math.abs(logit)).toBeGreaterThan(0.5)
    expect(Math.abs(at(answer, model.defaultTap) - logit)).toBeLessThan(1e-5)
  })

  test('attn-lrp: and with what each softmax keeps for its bias', async () => {
    const weights = model.taps.flatMap((tap, index) =>
      tap.operator === 'Softmax' ? [[model.taps[index - 1]?.id ?? '', tap.id] as const] : [],
    )
    expect(weights).toHaveLength(2)
    const answer = await ask({ id: 'attn-lrp' }, [model.defaultTap, ...weights.flat()])
    const logit = dataOf(answer.values[model.logits])[1] ?? NaN
    const kept = weights.reduce((sum, [scores, softmax]) => sum + at(answer, softmax) - at(answer, scores), 0)
    expect(Math.abs(kept)).toBeGreaterThan(0.01)
    expect(Math.abs(at(answer, model.defaultTap) + kept - logit)).toBeLessThan(1e-5)
  })

  test('the plain gradient loses it', async () => {
    const answer = await ask({ id: 'plain' }, [model.defaultTap])
    expect(Math.abs(at(answer, model.defaultTap))).toBeLessThan(0.1)
  })
})

test('LLaMA has no biases: the relevance of its words is the logit', async () => {
  const network = await readNetwork(
    fileURLToPath(new URL('../../../../fixtures/text-networks', import.meta.url)),
    'llama',
  )
  if ('refused' in network) throw new Error(network.refused)
  const model = await loadOnnxModel(network.path, { threads: 1 })
  const tap = model.defaultTap
  const of = { [model.logits]: float32([0, 1, 0, 0, 0, 0, 0, 0, 0, 0], [2, 5]) }
  const { values, gradients } = await model.ask({
    feeds: network.feeds,
    read: [tap, model.logits],
    gradient: { of, wrt: [tap], rules: { id: 'libra' } },
  })
  expect(Math.abs(relevanceOf(values[tap], gradients[tap]) - (dataOf(values[model.logits])[1] ?? NaN))).toBeLessThan(
    1e-4,
  )
  await model.dispose()
})

/** Fused attention, relative positions, gates, rotated keys, a decoder; the last two spell their normalisations out. */
const FAMILIES = [
  ['networks', 'bert'],
  ['networks', 'deberta-v3'],
  ['networks', 'gpt2'],
  ['text-networks', 'bart'],
  ['text-networks', 'llama'],
  ['text-networks', 'modernbert'],
] as const

describe.each(FAMILIES)('%s/%s', (folder, family) => {
  test('has an answer from every set', async () => {
    const network = await readNetwork(fileURLToPath(new URL(`../../../../fixtures/${folder}`, import.meta.url)), family)
    if ('refused' in network) throw new Error(network.refused)
    const model = await loadOnnxModel(network.path, { threads: 1 })
    try {
      const tap = model.defaultTap
      const plain = await model.ask({ feeds: network.feeds, read: [model.logits] })
      const { dims } = plain.values[model.logits] as FloatTensor
      const of = { [model.logits]: floats(dims, 7) }
      const found = await Promise.all(
        [...SETS, 'plain'].map(async (id) =>
          dataOf(
            (await model.ask({ feeds: network.feeds, read: [], gradient: { of, wrt: [tap], rules: { id } } }))
              .gradients[tap],
          ),
        ),
      )
      for (const one of found) {
        expect(one.every(Number.isFinite)).toBe(true)
        expect(one.some((value) => value !== 0)).toBe(true)
      }
      expect(new Set(found.map((one) => one.join())).size).toBeGreaterThanOrEqual(3)
    } finally {
      await model.dispose()
    }
  })
})
