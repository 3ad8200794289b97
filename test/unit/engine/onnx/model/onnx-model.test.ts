/** Questions to a model: reading, replacing, bending, reuse, errors. The file is a small MobileNet v2. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { floatConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { loadOnnxModel } from '../../../../../lib/engine/onnx/model/load.ts'
import { OnnxModel } from '../../../../../lib/engine/onnx/model/onnx-model.ts'
import { float32, row, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'
import { FLOAT32, relativeDifference } from '../../../../helpers/tolerance.ts'

const file = fileURLToPath(new URL('../../../../fixtures/networks/mobilenet-v2.onnx', import.meta.url))
let model: OnnxModel
beforeAll(async () => {
  const loaded = await loadOnnxModel(file, { threads: 1 })
  if (!(loaded instanceof OnnxModel)) throw new TypeError('another engine')
  model = loaded
})
afterAll(() => model.dispose())

const picture = (batch: number): FloatTensor => float32(normals(batch * 3 * 40 * 48, 1), [batch, 3, 40, 48])
const CLASSES = 7
const classOf = (classes: readonly number[]): FloatTensor =>
  float32(
    classes.flatMap((one) => Array.from({ length: CLASSES }, (_, k) => (k === one ? 1 : 0))),
    [classes.length, CLASSES],
  )
const bytesOf = (tensor: FloatTensor | undefined): Buffer => Buffer.from((tensor as FloatTensor).data.buffer)

describe('taps', () => {
  test('in graph order, from the input to the logits, the last map as default', () => {
    expect(model.taps[0]).toMatchObject({ id: 'image', kind: 'input', shape: [null, 3, 40, 48], spatial: true })
    expect(model.taps.at(-1)).toMatchObject({ id: 'logits', kind: 'output', spatial: false })
    const tap = model.taps.find((one) => one.id === model.defaultTap)
    expect(tap).toMatchObject({ kind: 'activation', spatial: true, differentiable: true, shape: [null, 1280, 3, 3] })
  })
  test('labels are module names', () => {
    expect(model.taps.map((tap) => tap.label)).toContain('features.2.conv.1.0')
  })
})

test('the linear head reproduces the logits from the mean of the last map', async () => {
  const head = await model.linearHead(model.defaultTap)
  expect(head?.weights.dims).toEqual([CLASSES, 1280])
  const { values } = await model.ask({ feeds: { image: picture(1) }, read: [model.defaultTap, 'logits'] })
  const map = values[model.defaultTap] as FloatTensor
  const means = Array.from(
    { length: 1280 },
    (_, c) => map.data.subarray(c * 9, (c + 1) * 9).reduce((a, b) => a + b) / 9,
  )
  const logits = Array.from({ length: CLASSES }, (_, k) =>
    means.reduce((sum, mean, c) => sum + mean * (head?.weights.data[k * 1280 + c] ?? NaN), head?.bias.data[k] ?? NaN),
  )
  expect(relativeDifference((values['logits'] as FloatTensor).data, logits)).toBeLessThan(FLOAT32)
  expect(await model.linearHead('image')).toBeNull()
})

test('a batch is its rows, each with its own class, and its own size compiles nothing new', async () => {
  const wrt = ['image', model.defaultTap]
  const ask = (image: FloatTensor, classes: readonly number[]): ReturnType<OnnxModel['ask']> =>
    model.ask({ feeds: { image }, read: ['logits'], gradient: { of: { logits: classOf(classes) }, wrt } })
  const batch = picture(3)
  const together = await ask(batch, [0, 1, 1])
  const before = model.compiledQuestions
  for (const [index, target] of [0, 1, 1].entries()) {
    const one = row(batch, index)
    const alone = await ask(float32(one.data, [1, ...one.dims]), [target])
    for (const tap of wrt)
      expect(
        relativeDifference(
          (alone.gradients[tap] as FloatTensor).data,
          row(together.gradients[tap] as FloatTensor, index).data,
        ),
      ).toBeLessThan(FLOAT32)
  }
  expect(model.compiledQuestions).toBe(before)
})

test('two runs of one question give identical bytes', async () => {
  const ask = (): ReturnType<OnnxModel['ask']> =>
    model.ask({
      feeds: { image: picture(2) },
      read: ['logits'],
      gradient: { of: { logits: classOf([1, 0]) }, wrt: ['image'] },
    })
  const [first, second] = [await ask(), await ask()]
  expect(bytesOf(first.gradients['image']).equals(bytesOf(second.gradients['image']))).toBe(true)
  expect(bytesOf(first.values['logits']).equals(bytesOf(second.values['logits']))).toBe(true)
})

test('a replaced tap needs no picture, and gives what the picture gave', async () => {
  const whole = await model.ask({ feeds: { image: picture(1) }, read: [model.defaultTap, 'logits'] })
  const map = whole.values[model.defaultTap] as FloatTensor
  const behind = await model
    .ask({
      from: { [model.defaultTap]: map },
      read: ['logits', model.defaultTap],
      gradient: { of: { logits: classOf([1]) }, wrt: [model.defaultTap, 'image'] },
    })
    .catch((thrown: unknown) => thrown)
  // The picture's gradient needs the picture's shape: it was not given.
  expect(behind).toMatchObject({ code: 'BAD_INPUT' })
  const head = await model.ask({
    from: { [model.defaultTap]: map },
    read: ['logits', model.defaultTap],
    gradient: { of: { logits: classOf([1]) }, wrt: [model.defaultTap] },
  })
  expect(
    relativeDifference((head.values['logits'] as FloatTensor).data, (whole.values['logits'] as FloatTensor).data),
  ).toBeLessThan(FLOAT32)
  expect(head.values[model.defaultTap]).toBe(map)
  expect((head.gradients[model.defaultTap] as FloatTensor).dims).toEqual(map.dims)
})

test('the gradient at the output is the cotangent, and of two outputs of a question each has its own', async () => {
  const of = { logits: classOf([1]) }
  const { gradients } = await model.ask({ feeds: { image: picture(1) }, read: [], gradient: { of, wrt: ['logits'] } })
  expect([...(gradients['logits'] as FloatTensor).data]).toEqual([0, 1, 0, 0, 0, 0, 0])
})

describe('bent ReLU rules', () => {
  // y = w * relu(x): the cotangent at the ReLU is w.
  const bent = async (operator: 'Relu' | 'Clip', id: string): Promise<number[]> => {
    const nodes = [
      node(operator, operator === 'Clip' ? ['x', 'low', 'high'] : ['x'], ['r']),
      node('Mul', ['r', 'w'], ['y']),
    ]
    const constants = new Map([
      ['low', { type: DataType.float, dims: [], bytes: new Uint8Array(Float32Array.from([0]).buffer) }],
      ['high', { type: DataType.float, dims: [], bytes: new Uint8Array(Float32Array.from([6]).buffer) }],
    ])
    const inputs = ['x', 'w'].map((name) => ({ name, type: DataType.float, shape: [5] }))
    const one = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants }))
    const feeds = { x: float32([-1, -1, 2, 2, 9], [5]), w: float32([-3, 4, -5, 6, 7], [5]) }
    const of = { y: float32([1, 1, 1, 1, 1], [5]) }
    const { gradients } = await one.ask({ feeds, read: [], gradient: { of, wrt: ['x'], rules: { id } } })
    await one.dispose()
    return [...(gradients['x'] as FloatTensor).data]
  }
  test.each([
    ['Relu', 'plain', [0, 0, -5, 6, 7]],
    ['Relu', 'guided-relu', [0, 0, 0, 6, 7]],
    ['Relu', 'deconvnet', [0, 4, 0, 6, 7]],
    ['Clip', 'plain', [0, 0, -5, 6, 0]],
    ['Clip', 'guided-relu', [0, 0, 0, 6, 0]],
    ['Clip', 'deconvnet', [0, 4, 0, 6, 7]],
  ] as const)('%s, %s', async (operator, rules, expected) => {
    expect(await bent(operator, rules)).toEqual(expected)
  })
})

describe('errors', () => {
  const feeds = { image: picture(1) }
  test.each([
    ['an unknown layer', { feeds, read: ['nowhere'] }, 'UNKNOWN_LAYER'],
    ['an unknown input', { feeds: { ...feeds, extra: picture(1) }, read: ['logits'] }, 'BAD_INPUT'],
    ['no input', { read: ['logits'] }, 'BAD_INPUT'],
    ['a wrong shape', { feeds: { image: float32(new Float32Array(12), [1, 3, 2, 2]) }, read: ['logits'] }, 'BAD_INPUT'],
    [
      'a wrong cotangent',
      { feeds, read: [], gradient: { of: { logits: float32([1], [1, 1]) }, wrt: ['image'] } },
      'BAD_INPUT',
    ],
    [
      'fewer cotangents than pictures',
      { feeds: { image: picture(2) }, read: [], gradient: { of: { logits: classOf([1]) }, wrt: ['image'] } },
      'BAD_INPUT',
    ],
    ['a gradient of nothing', { feeds, read: [], gradient: { of: {}, wrt: ['image'] } }, 'BAD_INPUT'],
  ] as const)('%s', async (_, question, code) => {
    await expect(model.ask(question)).rejects.toMatchObject({ code })
  })
  test('a cancelled question', async () => {
    await expect(model.ask({ feeds, read: ['logits'] }, AbortSignal.abort())).rejects.toMatchObject({
      code: 'CANCELLED',
    })
  })
  test('an unknown default layer', async () => {
    await expect(loadOnnxModel(file, { defaultTap: 'nowhere' })).rejects.toMatchObject({ code: 'UNKNOWN_LAYER' })
  })
})

test('operators without a rule: the model loads, taps before them say so, all at once, taps behind them work', async () => {
  const nodes = [
    node('Relu', ['x'], ['a']),
    node('Det', ['a'], ['d']),
    node('Unsqueeze', ['d', 'axis'], ['u']),
    node('Hardmax', ['u'], ['h']),
    node('Tanh', ['h'], ['y']),
  ]
  const axis = { type: DataType.int64, dims: [1], bytes: new Uint8Array(BigInt64Array.from([1n]).buffer) }
  const inputs = [{ name: 'x', type: DataType.float, shape: [2, 3, 3] }]
  const one = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants: new Map([['axis', axis]]) }))
  const tap = (id: string): unknown => one.taps.find((each) => each.id === id)
  expect(tap('a')).toMatchObject({ differentiable: false, reason: expect.stringMatching(/Det, Hardmax/) as unknown })
  expect(tap('h')).toMatchObject({ differentiable: true })
  const feeds = { x: float32(normals(18, 4), [2, 3, 3]) }
  const of = { y: float32([1, 1], [2, 1]) }
  await expect(one.ask({ feeds, read: [], gradient: { of, wrt: ['x'] } })).rejects.toMatchObject({
    code: 'NOT_DIFFERENTIABLE',
    details: { operators: ['Det', 'Hardmax'] },
  })
  const { gradients } = await one.ask({ feeds, read: ['y'], gradient: { of, wrt: ['h'] } })
  expect((gradients['h'] as FloatTensor).dims).toEqual([2, 1])
  await one.dispose()
})

test.each([0, 1])(
  'a large last layer (transB %i): the rows of its weights that the cotangent picks',
  async (transB) => {
    const [units, classes] = [520, 510]
    const weights = normals(units * classes, 5)
    const dims = transB ? [classes, units] : [units, classes]
    const constants = new Map([['w', floatConstant(weights, dims)]])
    const inputs = [{ name: 'x', type: DataType.float, shape: ['rows', units] }]
    const nodes = [
      node('Gemm', ['x', 'w'], ['y'], { transB: { kind: 'int', value: transB }, alpha: { kind: 'float', value: 2 } }),
    ]
    const one = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants }))
    const weight = (unit: number, k: number): number => weights[transB ? k * units + unit : unit * classes + k] ?? NaN
    const picks = [
      { 3: 1 },
      { 0: -1, 509: 0.5 },
      {}, // nothing: a gradient of zeros
    ] as readonly Readonly<Record<number, number>>[]
    for (const rows of [picks, [{}]]) {
      const cotangent = new Float32Array(rows.length * classes)
      rows.forEach((row, at) =>
        Object.entries(row).forEach(([k, value]) => (cotangent[at * classes + Number(k)] = value)),
      )
      const expected = rows.flatMap((row) =>
        Array.from({ length: units }, (_, unit) =>
          Object.entries(row).reduce((sum, [k, value]) => sum + 2 * value * weight(unit, Number(k)), 0),
        ),
      )
      const { gradients } = await one.ask({
        feeds: { x: float32(normals(rows.length * units, 6), [rows.length, units]) },
        read: [],
        gradient: { of: { y: float32(cotangent, [rows.length, classes]) }, wrt: ['x'] },
      })
      const gradient = (gradients['x'] as FloatTensor).data
      expect(gradient).toHaveLength(expected.length)
      gradient.forEach((value, at) => expect(Math.abs(value - (expected[at] ?? NaN))).toBeLessThan(1e-5))
    }
    await one.dispose()
  },
)
