/**
 * Rule sets: values with parameters, other choices by tap, sets from outside; and functions obey them in every spelling, fused,
 * named or spelled out.
 */
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { RuleSet } from '../../../../../lib/engine/model.ts'
import { RULE_SETS } from '../../../../../lib/engine/onnx/gradient/rule-sets/index.ts'
import { ruleSet, type BentRule } from '../../../../../lib/engine/onnx/gradient/rule-sets/rule-set.ts'
import { floatConstant, intConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type Attribute, type GraphNode } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { loadOnnxModel } from '../../../../../lib/engine/onnx/model/load.ts'
import { input, unary, type RuleEntry } from '../../../../../lib/engine/onnx/operators/rules/rule.ts'
import { OPERATORS } from '../../../../../lib/engine/onnx/operators/table.ts'
import { float32, sizeOf, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node, type OperatorModel } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'
import { FLOAT32, relativeDifference } from '../../../../helpers/tolerance.ts'

const floats = (dims: readonly number[], seed: number): FloatTensor => float32(normals(sizeOf(dims), seed), dims)
const scalar = (value: number) => floatConstant([value], [])
const ints = (...value: number[]): Attribute => ({ kind: 'ints', value })
const int = (value: number): Attribute => ({ kind: 'int', value })
const real = (value: number): Attribute => ({ kind: 'float', value })

/** f(x)/x in the derivative's place: AttnLRP's rule for activations (Achtibat 2024, 2402.05602, section 3.3). */
const quotient = unary((build, x, y, g) => build.mul(g, build.div(y, x)))
/** A product of two factors that both depend on the input shares its relevance (equation 14 there). */
const halved =
  (entry: RuleEntry): BentRule<unknown> =>
  ({ depends }) => ({
    ...entry,
    rule: (at, [g = null], build, wanted) => {
      const both = depends(input(at, 0)) && depends(input(at, 1))
      return entry.rule(at, [g !== null && both ? build.scale(g, 0.5) : g], build, wanted)
    },
  })
/** The deviation held (LN rule, Ali 2022, 2202.07304): (x - mean) times what is left counts as a constant. */
const held: RuleEntry = unary((build, x, y, g, at) => {
  const bias = input(at, 2)
  const whole = bias === '' ? y : build.sub(y, bias)
  const axes = [(build.shape(x)?.length ?? 0) - 1]
  const centred = at.operator === 'RMSNormalization' ? x : build.sub(x, build.mean(x, axes))
  const through = build.mul(g, build.div(whole, centred))
  return at.operator === 'RMSNormalization' ? through : build.sub(through, build.mean(through, axes))
})
const plainOf = (key: string): RuleEntry => OPERATORS[key]?.rule as RuleEntry

/** What a set for transformers says: of products, normalisations and activations, each by its name. */
const ATTENTIVE = ruleSet({
  id: 'attentive',
  summary: 'The shape of AttnLRP and LibraGrad.',
  params: z.strictObject({ slope: z.number().default(1) }),
  needsReference: false,
  rules: {
    ...Object.fromEntries(['Gelu', 'Swish', 'HardSwish', 'HardSigmoid', 'Mish'].map((name) => [name, () => quotient])),
    ...Object.fromEntries(['Mul', 'MatMul'].map((name) => [name, halved(plainOf(name))])),
    LayerNormalization: () => held,
    RMSNormalization: () => held,
    Relu: ({ params }) => unary((build, _x, _y, g) => build.scale(g, params.slope)),
  },
})
/** A set that knows no functions, and bends what they are made of. */
const PARTS = ruleSet({
  id: 'parts',
  summary: 'Operators in functions.',
  params: z.strictObject({}),
  needsReference: false,
  rules: {
    ...Object.fromEntries(['Mul', 'MatMul'].map((name) => [name, halved(plainOf(name))])),
    ...Object.fromEntries(
      ['Erf', 'Tanh', 'Sigmoid', 'Clip', 'Softmax', 'Sqrt', 'Softplus'].map((name): [string, BentRule<unknown>] => [
        name,
        () => ({
          ...plainOf(name),
          rule: (at, [g = null], build, wanted) => plainOf(name).rule(at, [g && build.scale(g, 0.7)], build, wanted),
        }),
      ]),
    ),
  },
})
const SETS = [...RULE_SETS, ATTENTIVE, PARTS]

interface Asked {
  readonly model: OperatorModel
  readonly feeds: Readonly<Record<string, FloatTensor>>
  readonly wrt: readonly string[]
}

async function gradients({ model, feeds, wrt }: Asked, rules: RuleSet): Promise<readonly number[]> {
  const one = await loadGraph(graphOf(model), SETS)
  try {
    const [output = ''] = model.outputs
    const { values } = await one.ask({ feeds, read: [output] })
    const { dims } = values[output] as FloatTensor
    const answer = await one.ask({ feeds, read: [], gradient: { of: { [output]: floats(dims, 77) }, wrt, rules } })
    return wrt.flatMap((tap) => [...(answer.gradients[tap] as FloatTensor).data])
  } finally {
    await one.dispose()
  }
}

test('a set from outside is one object, given when a model is loaded', async () => {
  const file = 'test/fixtures/networks/mobilenet-v2.onnx'
  const model = await loadOnnxModel(file, { threads: 1, ruleSets: SETS })
  expect(model.ruleSets.map((one) => one.id)).toEqual([...RULE_SETS.map((one) => one.id), 'attentive', 'parts'])
  await model.dispose()
  const own = await loadOnnxModel(file, { threads: 1 })
  expect(own.ruleSets).toBe(RULE_SETS)
  await own.dispose()
})

describe('a function obeys in every spelling', () => {
  const DIMS = [3, 4, 8] as const
  const inputs = [{ name: 'x', type: DataType.float, shape: ['rows', 4, 8] }]
  const weight = floats([8], 3)
  const constants = new Map([
    ...Object.entries({ root: Math.SQRT2, one: 1, half: 0.5, three: 3, zero: 0, six: 6, cubic: 0.044715 }).map(
      ([name, value]) => [name, scalar(value)] as const,
    ),
    ['tanhRoot', scalar(Math.sqrt(2 / Math.PI))] as const,
    ['alpha', scalar(1.702)] as const,
    ['two', scalar(2)] as const,
    ['epsilon', scalar(1e-5)] as const,
    ['last', intConstant([-1])] as const,
    ['weight', floatConstant(weight.data, [8])] as const,
    ['bias', floatConstant(floats([8], 4).data, [8])] as const,
    ['none', floatConstant(new Float32Array(8), [8])] as const,
    ['skip', floatConstant(new Float32Array(8), [1, 1, 8])] as const,
  ])
  const MS = 'com.microsoft'
  const spell = (nodes: readonly GraphNode[]): OperatorModel => ({
    nodes, inputs, outputs: ['y'], constants, opset: 24, domains: [MS],
  }) // prettier-ignore
  const single = (operator: string, attributes: Readonly<Record<string, Attribute>> = {}, domain = ''): OperatorModel =>
    spell([node(operator, ['x'], ['y'], attributes, domain)])
  const erf = [node('Div', ['x', 'root'], ['t']), node('Erf', ['t'], ['e']), node('Add', ['e', 'one'], ['f'])]
  const hard = [node('Add', ['x', 'three'], ['r']), node('Clip', ['r', 'zero', 'six'], ['c'])]
  const sixths = { alpha: real(1 / 6), beta: real(0.5) }
  const square = (c: string): GraphNode[] => [
    node('Mul', [c, c], ['q']),
    node('ReduceMean', ['q', 'last'], ['v']),
    node('Add', ['v', 'epsilon'], ['ve']),
    node('Sqrt', ['ve'], ['s']),
    node('Div', [c, 's'], ['n']),
    node('Mul', ['n', 'weight'], ['w']),
  ]
  const centre = [node('ReduceMean', ['x', 'last'], ['m']), node('Sub', ['x', 'm'], ['c'])]

  const functions: Readonly<Record<string, readonly OperatorModel[]>> = {
    Gelu: [
      single('Gelu'),
      single('Gelu', {}, MS),
      spell([node('BiasGelu', ['x', 'none'], ['y'], {}, MS)]),
      spell([...erf, node('Mul', ['x', 'f'], ['m']), node('Mul', ['m', 'half'], ['y'])]),
      spell([...erf, node('Mul', ['f', 'half'], ['m']), node('Mul', ['x', 'm'], ['y'])]),
    ],
    'Gelu by tanh': [
      single('Gelu', { approximate: { kind: 'string', value: 'tanh' } }),
      spell([node('FastGelu', ['x'], ['y'], {}, MS)]),
    ],
    Swish: [
      single('Swish', { alpha: real(1.702) }),
      single('QuickGelu', {}, MS),
      spell([node('Mul', ['x', 'alpha'], ['t']), node('Sigmoid', ['t'], ['s']), node('Mul', ['s', 'x'], ['y'])]),
    ],
    SiLU: [single('Swish'), spell([node('Sigmoid', ['x'], ['s']), node('Mul', ['x', 's'], ['y'])])],
    HardSigmoid: [single('HardSigmoid', sixths), spell([...hard, node('Div', ['c', 'six'], ['y'])])],
    HardSwish: [
      single('HardSwish'),
      spell([node('HardSigmoid', ['x'], ['h'], sixths), node('Mul', ['x', 'h'], ['y'])]),
      spell([...hard, node('Mul', ['x', 'c'], ['m']), node('Div', ['m', 'six'], ['y'])]),
      spell([...hard, node('Div', ['c', 'six'], ['h']), node('Mul', ['x', 'h'], ['y'])]),
    ],
    Mish: [
      single('Mish'),
      spell([node('Softplus', ['x'], ['p']), node('Tanh', ['p'], ['t']), node('Mul', ['x', 't'], ['y'])]),
    ],
    LayerNormalization: [
      spell([node('LayerNormalization', ['x', 'weight', 'bias'], ['y'], { axis: int(-1) })]),
      spell([node('SkipLayerNormalization', ['x', 'skip', 'weight', 'bias'], ['y'], { epsilon: real(1e-5) }, MS)]),
      spell([...centre, ...square('c'), node('Add', ['w', 'bias'], ['y'])]),
    ],
    RMSNormalization: [
      spell([node('RMSNormalization', ['x', 'weight'], ['y'], { axis: int(-1) })]),
      spell([node('SimplifiedLayerNormalization', ['x', 'weight'], ['y'], { axis: int(-1), epsilon: real(1e-5) })]),
      spell([...square('x').slice(0, -1), node('Mul', ['weight', 'n'], ['y'])]),
    ],
  }
  // Away from 0, where f(x)/x has none, and inside and outside the bounds of the hard ones.
  const x = float32(
    floats(DIMS, 9).data.map((value) => 2 * value + Math.sign(value) * 0.2),
    DIMS,
  )
  const cases = Object.entries(functions).flatMap(([name, spellings]) =>
    ['attentive', 'parts', 'guided-relu', 'deconvnet'].map((id) => [name, id, spellings] as const),
  )
  test.each(cases)('%s under %s', async (name, id, spellings) => {
    const all: (readonly number[])[] = []
    for (const model of spellings) all.push(await gradients({ model, feeds: { x }, wrt: ['x'] }, { id }))
    const [first = [], ...others] = all
    for (const [index, other] of others.entries())
      expect(relativeDifference(other, first), `${name}: spelling ${index + 2} against the first`).toBeLessThan(FLOAT32)
    const [model] = spellings
    const plain = await gradients({ model: model as OperatorModel, feeds: { x }, wrt: ['x'] }, { id: 'plain' })
    const difference = relativeDifference(first, plain)
    // Guided backpropagation bends rectifiers, and none of these is one.
    if (id === 'attentive' || id === 'parts') expect(difference).toBeGreaterThan(0.01)
    else expect(difference).toBeLessThan(FLOAT32)
  })

  test('a function by its name: f(x)/x of the whole, not of its parts', async () => {
    const [named] = functions['Gelu'] ?? []
    const model = await loadGraph(graphOf(named as OperatorModel), SETS)
    const { values } = await model.ask({ feeds: { x }, read: ['y'] })
    const cotangent = floats(DIMS, 77)
    const expected = cotangent.data.map(
      (g, at) => (g * ((values['y'] as FloatTensor).data[at] ?? 0)) / (x.data[at] ?? 0),
    )
    const found = await gradients({ model: named as OperatorModel, feeds: { x }, wrt: ['x'] }, { id: 'attentive' })
    expect(relativeDifference(found, expected)).toBeLessThan(FLOAT32)
    await model.dispose()
  })

  test('attention: the operator, the fused one, and the chain', async () => {
    const names = ['q', 'k', 'v']
    const heads = names.map((name) => ({ name, type: DataType.float, shape: ['rows', 2, 4, 3] }))
    const merged = names.map((name) => ({ name, type: DataType.float, shape: ['rows', 4, 6] }))
    const turn = { perm: ints(0, 2, 1, 3) }
    const chain = [
      node('Transpose', ['k'], ['kt'], { perm: ints(0, 1, 3, 2) }),
      node('MatMul', ['q', 'kt'], ['scores']),
      node('Mul', ['scores', 'scale'], ['scaled']),
      node('Softmax', ['scaled'], ['p'], { axis: int(-1) }),
      node('MatMul', ['p', 'v'], ['y']),
    ]
    const split = names.flatMap((name) => [
      node('Reshape', [name, 'split'], [`${name}4`]),
      node('Transpose', [`${name}4`], [`${name}h`], turn),
    ])
    const three = new Map([
      ['scale', scalar(1 / Math.sqrt(3))] as const,
      ['split', intConstant([0, 0, 2, 3])] as const,
      ['join', intConstant([0, 0, 6])] as const,
    ])
    const written = (nodes: readonly GraphNode[], shapes: typeof heads | typeof merged): OperatorModel => ({
      nodes, inputs: shapes, outputs: ['y'], constants: three, opset: 23, domains: [MS],
    }) // prettier-ignore
    const inHeads = [written([node('Attention', names, ['y'])], heads), written(chain, heads)]
    const own = (one: GraphNode): GraphNode => ({
      ...one,
      name: `own ${one.name}`,
      inputs: one.inputs.map((name) => (names.includes(name) ? `${name}h` : name)),
      outputs: one.outputs.map((name) => (name === 'y' ? 'yh' : name)),
    })
    const inRows = [
      written([node('Attention', names, ['y'], { q_num_heads: int(2), kv_num_heads: int(2) })], merged),
      written([node('MultiHeadAttention', names, ['y'], { num_heads: int(2) }, MS)], merged),
      written(
        [...split, ...chain.map(own), node('Transpose', ['yh'], ['yt'], turn), node('Reshape', ['yt', 'join'], ['y'])],
        merged,
      ),
    ]
    for (const [models, dims] of [
      [inHeads, [2, 2, 4, 3]],
      [inRows, [2, 4, 6]],
    ] as const)
      // prettier-ignore
      for (const id of ['attentive', 'parts']) {
        const feeds = Object.fromEntries(names.map((name, index) => [name, floats(dims, 20 + index)]))
        const all: (readonly number[])[] = []
        for (const model of models) all.push(await gradients({ model, feeds, wrt: names }, { id }))
        const [first = [], ...others] = all
        for (const other of others) expect(relativeDifference(other, first)).toBeLessThan(FLOAT32)
        const plain = await gradients({ model: models[0] as OperatorModel, feeds, wrt: names }, { id: 'plain' })
        expect(relativeDifference(first, plain)).toBeGreaterThan(0.1)
      }
  })

  test.each(['guided-relu', 'deconvnet', 'attentive'])(
    'a Relu fused into a convolution or a product: %s',
    async (id) => {
      const picture = [{ name: 'x', type: DataType.float, shape: ['rows', 2, 4, 4] }]
      const kernel = new Map([['w', floatConstant(normals(2 * 2 * 9, 5), [2, 2, 3, 3])] as const])
      const relu: Attribute = { kind: 'string', value: 'Relu' }
      const conv = [
        { nodes: [node('FusedConv', ['x', 'w'], ['y'], { activation: relu }, MS)], inputs: picture, outputs: ['y'] },
        { nodes: [node('Conv', ['x', 'w'], ['c']), node('Relu', ['c'], ['y'])], inputs: picture, outputs: ['y'] },
      ].map((one) => ({ ...one, constants: kernel, domains: [MS] }))
      const rows = [{ name: 'x', type: DataType.float, shape: ['rows', 5] }]
      const matrix = new Map([['w', floatConstant(normals(20, 6), [5, 4])] as const])
      const gemm = [
        { nodes: [node('FusedGemm', ['x', 'w'], ['y'], { activation: relu }, MS)], inputs: rows, outputs: ['y'] },
        { nodes: [node('Gemm', ['x', 'w'], ['c']), node('Relu', ['c'], ['y'])], inputs: rows, outputs: ['y'] },
      ].map((one) => ({ ...one, constants: matrix, domains: [MS] }))
      const rules = id === 'attentive' ? { id, params: { slope: 3 } } : { id }
      for (const [models, dims] of [
        [conv, [2, 2, 4, 4]],
        [gemm, [3, 5]],
      ] as const) {
        // prettier-ignore
        const feeds = { x: floats(dims, 8) }
        const [fused = [], spelled = []] = await Promise.all(
          models.map((model) => gradients({ model, feeds, wrt: ['x'] }, rules)),
        )
        expect(relativeDifference(fused, spelled)).toBeLessThan(FLOAT32)
        const plain = await gradients({ model: models[0] as OperatorModel, feeds, wrt: ['x'] }, { id: 'plain' })
        expect(relativeDifference(fused, plain)).toBeGreaterThan(0.1)
      }
    },
  )

  test.each(['guided-relu', 'deconvnet'])('a Relu that a quantiser has deleted: %s', async (id) => {
    const zero = { type: DataType.uint8, dims: [], bytes: new Uint8Array([0]) }
    const quantised = [node('QuantizeLinear', ['z', 'scale', 'zp'], ['u']), node('DequantizeLinear', ['u', 'scale', 'zp'], ['y'])] // prettier-ignore
    const models = [
      [node('MatMul', ['x', 'w'], ['z']), ...quantised],
      [node('MatMul', ['x', 'w'], ['p']), node('Relu', ['p'], ['z']), ...quantised],
    ].map((nodes): OperatorModel => ({
      nodes,
      inputs,
      outputs: ['y'],
      constants: new Map([
        ['w', floatConstant(normals(40, 6), [8, 5])] as const,
        ['scale', scalar(0.1)] as const,
        ['zp', zero] as const,
      ]),
    }))
    // Asked of an inner tensor: what is asked about passes a quantiser whole.
    const behind = models.map((one) => ({
      ...one,
      nodes: [...one.nodes, node('Neg', ['y'], ['n'])],
      outputs: ['n'],
    }))
    const [deleted = [], kept = []] = await Promise.all(
      behind.map((model) => gradients({ model, feeds: { x }, wrt: ['x'] }, { id })),
    )
    const plain = await gradients({ model: behind[0] as OperatorModel, feeds: { x }, wrt: ['x'] }, { id: 'plain' })
    expect(relativeDifference(deleted, plain)).toBeGreaterThan(0.1)
    expect(relativeDifference(deleted, kept)).toBeLessThan(FLOAT32)
  })

  test('what stands for a bent operator and cannot be written out is refused, by name', async () => {
    const model: OperatorModel = {
      nodes: [node('MatMulInteger', ['xi', 'w'], ['z']), node('Cast', ['z'], ['y'], { to: int(1) })],
      inputs: [],
      outputs: ['y'],
      constants: new Map([['w', { type: DataType.uint8, dims: [8, 2], bytes: new Uint8Array(16).fill(3) }]]),
    }
    const quantise = node('DynamicQuantizeLinear', ['x'], ['xi', 'xs', 'xz'])
    const whole = { ...model, nodes: [quantise, ...model.nodes], inputs }
    await expect(gradients({ model: whole, feeds: { x }, wrt: ['x'] }, { id: 'plain' })).resolves.toHaveLength(96)
    await expect(gradients({ model: whole, feeds: { x }, wrt: ['x'] }, { id: 'parts' })).rejects.toMatchObject({
      code: 'NOT_DIFFERENTIABLE',
      message: expect.stringContaining('MatMulInteger (the rule set bends a part of it') as unknown,
    })
  })
})

describe('choices by tap', () => {
  // Two rectifiers, each behind a product with a given tensor.
  const names = ['x', 'a', 'b']
  const model: OperatorModel = {
    nodes: [
      node('Relu', ['x'], ['r']), node('Mul', ['r', 'a'], ['m']), node('Relu', ['m'], ['s']), node('Mul', ['s', 'b'], ['y']),
    ],
    inputs: names.map((name) => ({ name, type: DataType.float, shape: [4] })),
    outputs: ['y'],
    constants: new Map(),
  } // prettier-ignore
  const feeds = {
    x: float32([2, 2, -1, -1], [4]),
    a: float32([3, -3, 3, 3], [4]),
    b: float32([1, 1, 1, -1], [4]),
  }
  const ask = async (rules: RuleSet): Promise<readonly number[]> => {
    const one = await loadGraph(graphOf(model), SETS)
    const of = { y: float32([1, 1, 1, 1], [4]) }
    const { gradients } = await one.ask({ feeds, read: [], gradient: { of, wrt: ['x'], rules } })
    await one.dispose()
    return [...(gradients['x'] as FloatTensor).data].map((value) => value + 0)
  }

  test('another rule set, other parameters, the plain rules', async () => {
    expect(await ask({ id: 'plain' })).toEqual([3, 0, 0, 0])
    // The slope of a product's factor is whole: the other one does not depend on x.
    expect(await ask({ id: 'attentive', params: { slope: 2 } })).toEqual([12, -12, 12, -12])
    expect(await ask({ id: 'attentive', params: { slope: 2 }, byTap: { s: { params: { slope: 5 } } } })).toEqual([30, -30, 30, -30]) // prettier-ignore
    expect(await ask({ id: 'attentive', params: { slope: 2 }, byTap: { r: { id: 'plain' } } })).toEqual([6, -6, 0, 0])
    expect(await ask({ id: 'plain', byTap: { s: { id: 'attentive', params: { slope: 2 } } } })).toEqual([6, -6, 0, 0])
    // What is said at a tap leaves the other parameters as they are around it.
    expect(await ask({ id: 'attentive', params: { slope: 2 }, byTap: { s: {} } })).toEqual([12, -12, 12, -12])
  })

  test('the same value compiles once, whatever the order it is written in; another one is another graph', async () => {
    const one = await loadGraph(graphOf(model), SETS)
    const of = { y: float32([1, 1, 1, 1], [4]) }
    const values: readonly RuleSet[] = [
      { id: 'attentive', byTap: { r: { id: 'plain' }, s: { params: { slope: 2 } } } },
      { id: 'attentive', params: {}, byTap: { s: { params: { slope: 2 } }, r: { id: 'plain' } } },
      { id: 'attentive', params: { slope: 1 }, byTap: { s: { params: { slope: 2 } }, r: { id: 'plain', params: {} } } },
    ]
    for (const rules of values) await one.ask({ feeds, read: [], gradient: { of, wrt: ['x'], rules } })
    expect(one.compiledQuestions).toBe(1)
    await one.ask({ feeds, read: [], gradient: { of, wrt: ['x'], rules: { id: 'attentive', params: { slope: 4 } } } })
    await one.ask({ feeds, read: [], gradient: { of, wrt: ['x'], rules: { id: 'attentive' } } })
    expect(one.compiledQuestions).toBe(3)
    await one.dispose()
  })

  test.each<readonly [string, RuleSet, string, string]>([
    ['an unknown id', { id: 'guided-rely' }, 'BAD_PARAMETER', 'Did you mean "guided-relu"?'],
    [
      'an unknown id at a tap',
      { id: 'plain', byTap: { s: { id: 'nothing' } } },
      'BAD_PARAMETER',
      'no rule set "nothing"',
    ],
    ['an unknown tap', { id: 'plain', byTap: { nowhere: {} } }, 'UNKNOWN_LAYER', '"nowhere"'],
    ['an unknown parameter', { id: 'plain', params: { slope: 1 } }, 'BAD_PARAMETER', 'It takes none'],
    ['a parameter of the wrong type', { id: 'attentive', params: { slope: 'steep' } }, 'BAD_PARAMETER', 'slope: '],
    ['a reference nobody asks for', { id: 'plain', reference: { feeds } }, 'BAD_PARAMETER', 'takes no reference'],
  ])('%s is an error that says so', async (_, rules, code, words) => {
    await expect(ask(rules)).rejects.toMatchObject({ code, message: expect.stringContaining(words) as unknown })
  })
})

test('a choice by tap reaches an operator whose selection was moved forward', async () => {
  // [CLS] is selected behind the Relu; the Relu is then computed for that position only.
  const model: OperatorModel = {
    nodes: [
      node('Relu', ['x'], ['r']),
      node('Mul', ['r', 'w'], ['m']),
      node('Gather', ['m', 'first'], ['y'], { axis: int(1) }),
    ],
    inputs: [{ name: 'x', type: DataType.float, shape: ['rows', 4, 3] }],
    outputs: ['y'],
    constants: new Map([['w', floatConstant([2, 3, 4], [3])], ['first', intConstant([0], [])]]), // prettier-ignore
  }
  const feeds = { x: floats([2, 4, 3], 5) }
  const around = await gradients({ model, feeds, wrt: ['x'] }, { id: 'attentive', params: { slope: 5 } })
  const atTap = await gradients({ model, feeds, wrt: ['x'] }, { id: 'plain', byTap: { r: { id: 'attentive', params: { slope: 5 } } } }) // prettier-ignore
  expect(atTap).toEqual(around)
})

test('integers that look like a part of an activation are none (places of DeBERTa: a sum, clipped)', async () => {
  const nodes = [
    node('Shape', ['x'], ['extents']),
    node('Add', ['extents', 'three'], ['raised']),
    node('Clip', ['raised', 'zero', 'six'], ['clipped']),
    node('Cast', ['clipped'], ['places'], { to: int(DataType.float) }),
    node('Relu', ['x'], ['open']),
    node('Mul', ['open', 'places'], ['y']),
  ]
  const constants = new Map([
    ['three', intConstant([3])],
    ['zero', intConstant([0], [])],
    ['six', intConstant([6], [])],
  ])
  const inputs = [{ name: 'x', type: DataType.float, shape: ['N', 2] }]
  const asked = { model: { nodes, inputs, outputs: ['y'], constants }, feeds: { x: floats([2, 2], 3) }, wrt: ['x'] }
  const [plain, guided] = [await gradients(asked, { id: 'plain' }), await gradients(asked, { id: 'guided-relu' })]
  expect(guided).toEqual(plain.map((one) => Math.max(one, 0)))
  expect(plain.some((one) => one !== 0)).toBe(true)
})
