/** Formulas: the interpreter against numbers done by hand, the engine against the interpreter. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  abs,
  add,
  AXIS_OPERATIONS,
  BINARY_OPERATIONS,
  cumulativeSum,
  divide,
  equal,
  exp,
  given,
  gradient,
  greater,
  less,
  leavesOf,
  log,
  logSoftmax,
  matmul,
  max,
  maximum,
  mean,
  min,
  minimum,
  multiply,
  negate,
  oneHotArgmax,
  REDUCTIONS,
  relu,
  resize,
  sigmoid,
  sign,
  softmax,
  sqrt,
  square,
  subtract,
  sum,
  tanh,
  UNARY_OPERATIONS,
  value,
  where,
  type Formula,
} from '../../../lib/engine/formula.ts'
import { interpret } from '../../../lib/engine/interpret.ts'
import { askLiterally } from '../../../lib/engine/literal-formulas.ts'
import type { Question } from '../../../lib/engine/model.ts'
import { DataType } from '../../../lib/engine/onnx/graph/graph.ts'
import { intConstant } from '../../../lib/engine/onnx/graph/constant.ts'
import { loadOnnxModel } from '../../../lib/engine/onnx/model/load.ts'
import { OnnxModel } from '../../../lib/engine/onnx/model/onnx-model.ts'
import { float32, type FloatTensor } from '../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../helpers/operator-model.ts'
import { normals } from '../../helpers/random.ts'
import { FLOAT32, relativeDifference } from '../../helpers/tolerance.ts'

const file = fileURLToPath(new URL('../../fixtures/networks/mobilenet-v2.onnx', import.meta.url))
let model: OnnxModel
beforeAll(async () => {
  const loaded = await loadOnnxModel(file, { threads: 1 })
  if (!(loaded instanceof OnnxModel)) throw new TypeError('another engine')
  model = loaded
})
afterAll(() => model.dispose())

const ROWS = 2
const CLASSES = 7
const random = (dims: readonly number[], seed: number): FloatTensor =>
  float32(
    normals(
      dims.reduce((a, b) => a * b, 1),
      seed,
    ),
    dims,
  )
const picture = random([ROWS, 3, 40, 48], 1)
const of = { logits: random([ROWS, CLASSES], 2) }

describe('interpret', () => {
  const a = float32([1, -2, 3, -4, 5, -6], [2, 3])
  const b = float32([10, 0, 30], [3])
  const hands: readonly (readonly [string, Formula, readonly number[], readonly number[]])[] = [
    ['add', add(given('a'), given('b')), [2, 3], [11, -2, 33, 6, 5, 24]],
    ['subtract', subtract(1, given('b')), [3], [-9, 1, -29]],
    ['multiply', multiply(given('a'), given('b')), [2, 3], [10, -0, 90, -40, 0, -180]],
    ['divide, 0 where the divisor is', divide(given('b'), given('b')), [3], [1, 0, 1]],
    ['matmul', matmul(given('a'), given('t')), [2, 2], [14, -32, -32, 77]],
    ['relu', relu(given('a')), [2, 3], [1, 0, 3, 0, 5, 0]],
    ['abs', abs(given('b')), [3], [10, 0, 30]],
    ['sum', sum(given('a'), [1]), [2, 1], [2, -5]],
    ['mean', mean(given('a'), [0]), [1, 3], [-1.5, 1.5, -1.5]],
    ['max', max(given('a'), [0, 1]), [1, 1], [5]],
    ['min', min(given('a'), [1]), [2, 1], [-2, -6]],
    ['negate', negate(given('b')), [3], [-10, -0, -30]],
    ['sign', sign(subtract(given('a'), 1)), [2, 3], [0, -1, 1, -1, 1, -1]],
    ['square', square(given('a')), [2, 3], [1, 4, 9, 16, 25, 36]],
    ['sqrt', sqrt(square(given('a'))), [2, 3], [1, 2, 3, 4, 5, 6]],
    ['exp', exp(multiply(given('b'), 0)), [3], [1, 1, 1]],
    ['log, of 0 and less', log(given('c')), [2, 2], [-Infinity, 0, NaN, NaN]],
    ['sigmoid', sigmoid(multiply(1000, given('c'))), [2, 2], [0.5, 1, 0, NaN]],
    ['tanh', tanh(multiply(1000, given('c'))), [2, 2], [0, 1, -1, NaN]],
    ['maximum', maximum(given('a'), given('b')), [2, 3], [10, 0, 30, 10, 5, 30]],
    ['minimum, with NaN', minimum(given('c'), 0.5), [2, 2], [0, 0.5, -1, NaN]],
    ['greater', greater(given('a'), 1), [2, 3], [0, 0, 1, 0, 1, 0]],
    ['less', less(given('a'), 1), [2, 3], [0, 1, 0, 1, 0, 1]],
    ['equal: NaN to nothing', equal(given('c'), given('c')), [2, 2], [1, 1, 1, 0]],
    ['where', where(given('c'), given('c'), 7), [2, 2], [7, 1, -1, NaN]],
    ['where: shapes broadcast', where(greater(given('a'), 0), given('b'), -1), [2, 3], [10, -1, 30, -1, 0, -1]],
    ['softmax', softmax(multiply(0, given('a')), 0), [2, 3], [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]],
    ['softmax of large numbers', softmax(multiply(1e4, given('a')), 1), [2, 3], [0, 0, 1, 0, 1, 0]],
    ['softmax without a place', softmax(log(given('d')), 1), [1, 3], [0.25, 0, 0.75]],
    ['logSoftmax', logSoftmax(multiply(1e4, given('a')), 1), [2, 3], [-2e4, -5e4, 0, -9e4, 0, -11e4]],
    ['cumulativeSum', cumulativeSum(given('a'), 1), [2, 3], [1, -1, 2, -4, 1, -5]],
    ['cumulativeSum over rows', cumulativeSum(given('a'), 0), [2, 3], [1, -2, 3, -3, 3, -3]],
    ['oneHotArgmax', oneHotArgmax(given('a'), 1), [2, 3], [0, 0, 1, 0, 1, 0]],
    ['oneHotArgmax over rows', oneHotArgmax(given('a'), 0), [2, 3], [1, 0, 1, 0, 1, 0]],
    ['oneHotArgmax: the first of several', oneHotArgmax(abs(sign(given('a'))), 1), [2, 3], [1, 0, 0, 1, 0, 0]],
    ['oneHotArgmax: never NaN beside a number', oneHotArgmax(given('c'), 1), [2, 2], [0, 1, 1, 0]],
    ['oneHotArgmax: exactly one', oneHotArgmax(log(negate(square(given('a')))), 1), [2, 3], [1, 0, 0, 1, 0, 0]],
    // Centres of two cells over four places: -1/4, 1/4, 3/4 and 5/4 of the way.
    ['resize', resize(given('e'), [1, 4]), [1, 1, 1, 4], [4, 5, 7, 8]],
    ['resize, smaller', resize(given('f'), [1, 1]), [1, 1, 1, 1], [2.5]],
  ]
  const tensors: Readonly<Record<string, FloatTensor>> = {
    a,
    b,
    t: float32([1, -4, -2, 5, 3, -6], [3, 2]),
    c: float32([0, 1, -1, NaN], [2, 2]),
    d: float32([1, 0, 3], [1, 3]),
    e: float32([4, 8], [1, 1, 1, 2]),
    f: float32([1, 2, 3, 4], [1, 1, 2, 2]),
  }
  it.each(hands)('%s', (_, formula, dims, expected) => {
    const result = interpret(formula, (leaf) => tensors[leaf.kind === 'given' ? leaf.name : ''] as FloatTensor)
    expect(result.dims).toEqual(dims)
    expect([...result.data]).toEqual(expected)
  })
})

/** A map's channels, its gradient, a number a channel, matrices: [N, 24, 10, 12] is the shape of the tap. */
const TAP = 'layer'
const shared = { channel: random([1, 24, 1, 1], 3), left: random([1, 1, 5, 10], 4) }
const perRow = { weight: random([ROWS, 1, 1, 1], 5), coarse: random([ROWS, 2, 5, 3], 9) }
const FORMULAS: Readonly<Record<string, Formula>> = {
  'a value': value(TAP),
  'a gradient': gradient(TAP),
  'a given tensor': given('channel'),
  'a number': add(given('weight'), 2.5),
  'channels by a weight': sum(multiply(value(TAP), given('channel')), [1]),
  'mean gradients': sum(multiply(value(TAP), mean(gradient(TAP), [2, 3])), [1]),
  quotient: divide(relu(gradient(TAP)), add(2, multiply(sum(value(TAP), [2, 3]), gradient(TAP)))),
  'quotient by 0': divide(gradient(TAP), relu(value(TAP))),
  extremes: subtract(max(value(TAP), [2, 3]), min(value(TAP), [1, 2, 3])),
  'over rows': sum(multiply(given('weight'), abs(gradient(TAP))), [0]),
  product: matmul(given('left'), value(TAP)),
  'nothing reduced': sum(value(TAP), []),
  negate: negate(value(TAP)),
  sign: sign(value(TAP)),
  square: square(value(TAP)),
  sqrt: sqrt(square(gradient(TAP))),
  exp: exp(subtract(value(TAP), max(value(TAP), [1]))),
  log: log(add(0.01, abs(gradient(TAP)))),
  sigmoid: sigmoid(value(TAP)),
  tanh: tanh(multiply(given('weight'), value(TAP))),
  maximum: maximum(value(TAP), given('channel')),
  minimum: minimum(value(TAP), given('weight')),
  greater: greater(value(TAP), given('channel')),
  less: less(value(TAP), given('weight')),
  equal: equal(value(TAP), max(value(TAP), [1])),
  where: where(greater(value(TAP), 0), given('channel'), gradient(TAP)),
  'where, of a term that is no comparison': where(relu(value(TAP)), 2, given('weight')),
  'softmax of logits': softmax(value('logits'), 1),
  'softmax of channels': softmax(value(TAP), 1),
  'logSoftmax of logits': logSoftmax(multiply(30, value('logits')), 1),
  'logSoftmax of columns': logSoftmax(value(TAP), 3),
  'cumulativeSum of channels': cumulativeSum(value(TAP), 1),
  'oneHotArgmax of logits': oneHotArgmax(value('logits'), 1),
  'oneHotArgmax of channels': oneHotArgmax(value(TAP), 1),
  'resize, larger': resize(value(TAP), [40, 48]),
  'resize, to odd extents': resize(given('coarse'), [9, 4]),
  'resize, smaller': resize(multiply(value(TAP), given('weight')), [3, 5]),
}

describe('the ONNX engine', () => {
  const tapOf = (): string => model.taps.filter((one) => one.shape[1] === 24 && one.shape[2] === 10)[0]?.id ?? ''
  /** TAP stands for a layer of the network. */
  const placed = (formula: Formula): Formula =>
    JSON.parse(JSON.stringify(formula).replaceAll(`"${TAP}"`, JSON.stringify(tapOf()))) as Formula
  const literally = (question: Question) => askLiterally(question, model.inputs, (plain) => model.ask(plain))

  it('is asked for every operation', () => {
    const kinds = new Set<string>()
    const visit = (one: unknown): void => {
      if (typeof one !== 'object' || one === null) return
      for (const key of ['kind', 'operation']) if (key in one) kinds.add(String((one as Record<string, unknown>)[key]))
      Object.values(one).forEach(visit)
    }
    visit(FORMULAS)
    for (const operations of [BINARY_OPERATIONS, UNARY_OPERATIONS, REDUCTIONS, AXIS_OPERATIONS])
      for (const operation of operations) expect(kinds).toContain(operation)
    expect(kinds).toContain('where')
    expect(kinds).toContain('resize')
  })

  const cases = Object.keys(FORMULAS).flatMap((name) => [ROWS, 1].map((rows) => [name, rows] as const))
  it.each(cases)('computes what the interpreter does: %s, %d rows', async (name, rows) => {
    const firstRows = (tensor: FloatTensor): FloatTensor =>
      float32(tensor.data.slice(0, (tensor.data.length / ROWS) * rows), [rows, ...tensor.dims.slice(1)])
    const question: Question = {
      feeds: { image: firstRows(picture) },
      read: ['logits'],
      gradient: { of: { logits: firstRows(of.logits) }, wrt: [] },
      formulas: {
        shared,
        perRow: { weight: firstRows(perRow.weight), coarse: firstRows(perRow.coarse) },
        outputs: { [name]: placed(FORMULAS[name] as Formula) },
      },
    }
    const [ours, reference] = [await model.ask(question), await literally(question)]
    const [found, expected] = [ours.computed[name], reference.computed[name]]
    expect(found?.dims).toEqual(expected?.dims)
    expect(expected?.data.some((one) => one !== 0)).toBe(true)
    expect(relativeDifference(found?.data ?? [], expected?.data ?? [])).toBeLessThan(FLOAT32)
    expect(ours.values['logits']).toEqual(reference.values['logits'])
    expect(ours.gradients).toEqual({})
  })

  /** Each at every place, beside every other: a row of 17, which is more than a register of the processor holds. */
  const ODD = [NaN, 0, -0, 1, -1, Infinity, -Infinity, 2.5, 1e30, -1e30, 88, 104, -104, 1e-30, 1e-38, 3, 3]
  const odd = float32(ODD, [1, 1, ODD.length])
  const across = float32(ODD, [1, ODD.length, 1])
  /** Softmax's rows: all of one kind, and such that hold one other. */
  const lines = [
    [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
    [Infinity, 0, 1, 2, 3],
    [NaN, 0, 1, 2, 3],
    [-Infinity, 0, 1, 2, 3],
    [NaN, NaN, NaN, NaN, NaN],
    [-Infinity, NaN, -Infinity, NaN, -Infinity],
    [500, 499, -500, 500, 0],
    [-3, -3, -3, -3, -3],
  ]
  const rows = float32(lines.flat(), [1, lines.length, 5])
  const [x, y, z] = [given('x'), given('y'), given('z')]
  const EDGES: Readonly<Record<string, Formula>> = {
    ...Object.fromEntries(UNARY_OPERATIONS.map((operation) => [operation, { kind: 'unary', operation, of: x }])),
    ...Object.fromEntries(
      BINARY_OPERATIONS.filter((operation) => operation !== 'matmul').map((operation) => [
        operation,
        { kind: 'binary', operation, left: x, right: y },
      ]),
    ),
    ...Object.fromEntries(
      AXIS_OPERATIONS.map((operation) => [operation, { kind: 'along', operation, of: z, axis: 2 }]),
    ),
    'oneHotArgmax of all': oneHotArgmax(x, 2),
    'oneHotArgmax of comparisons': oneHotArgmax(greater(x, y), 2),
    where: where(x, y, 5),
    'where, of infinity': where(greater(x, 1), x, -Infinity),
  }
  it.each(Object.keys(EDGES))('agrees where a value is none: %s', async (name) => {
    const tensors = { x: odd, y: across, z: rows }
    const formula = EDGES[name] as Formula
    const used = new Set(leavesOf(formula).map((leaf) => (leaf.kind === 'given' ? leaf.name : '')))
    const shared = Object.fromEntries(Object.entries(tensors).filter(([key]) => used.has(key)))
    const { computed } = await model.ask({ read: [], formulas: { shared, outputs: { [name]: formula } } })
    const expected = interpret(formula, (leaf) => tensors[leaf.kind === 'given' ? (leaf.name as 'x') : 'x'])
    expect(computed[name]?.dims).toEqual(expected.dims)
    expected.data.forEach((one, at) => {
      const found = computed[name]?.data[at] ?? 0
      const near = Math.abs(found - one) <= FLOAT32 * Math.abs(one) + 1e-37
      expect(Object.is(found, one) || found === one || near, `${at}: ${found}, expected ${one}`).toBe(true)
    })
  })

  it('oneHotArgmax takes the first of equals wherever they stand, in rows of any length', async () => {
    for (const length of [1, 2, 7, 8, 9, 16, 33, 100, 1000]) {
      const many = 50
      const values = Float32Array.from(normals(many * length, length), (one) => Math.round(one))
      const x = float32(values, [1, many, length])
      const { computed } = await model.ask({
        read: [],
        formulas: { shared: { x }, outputs: { along: oneHotArgmax(given('x'), 2), down: oneHotArgmax(given('x'), 1) } },
      })
      for (const [name, axis] of [
        ['along', 2],
        ['down', 1],
      ] as const)
        expect(computed[name]).toEqual(interpret(oneHotArgmax(given('x'), axis), () => x))
    }
  })

  it('computes its inputs: the same as when they are fed, logits and gradient at them', async () => {
    const question: Question = {
      read: ['logits', 'image'],
      gradient: { of, wrt: ['image', tapOf()] },
      formulas: {
        shared: { base: random([1, 3, 40, 48], 6), way: random([1, 3, 40, 48], 7) },
        perRow,
        inputs: { image: add(given('base'), multiply(given('weight'), given('way'))) },
        outputs: { part: sum(multiply(gradient('image'), given('weight')), [0]) },
      },
    }
    const [ours, reference] = [await model.ask(question), await literally(question)]
    for (const kind of ['values', 'gradients', 'computed'] as const) {
      expect(Object.keys(ours[kind])).toEqual(Object.keys(reference[kind]))
      for (const [name, expected] of Object.entries(reference[kind])) {
        expect(ours[kind][name]?.dims, name).toEqual(expected.dims)
        expect(relativeDifference(ours[kind][name]?.data ?? [], expected.data), name).toBeLessThan(FLOAT32)
      }
    }
  })

  it('computes a replaced tap, and runs only what lies behind it', async () => {
    const map = random([1, 24, 10, 12], 8)
    const question: Question = {
      read: ['logits'],
      formulas: { shared: { map }, perRow, inputs: { [tapOf()]: multiply(given('map'), given('weight')) } },
    }
    const [ours, reference] = [await model.ask(question), await literally(question)]
    expect(relativeDifference(ours.values['logits']?.data ?? [], reference.values['logits']?.data ?? [])).toBeLessThan(
      FLOAT32,
    )
  })

  it('another number of rows compiles nothing new, another formula does', async () => {
    const ask = (rows: number, factor: number) =>
      model.ask({
        read: ['logits'],
        formulas: {
          shared: { base: random([1, 3, 40, 48], 6) },
          perRow: { weight: random([rows, 1, 1, 1], 5) },
          inputs: { image: multiply(multiply(given('base'), given('weight')), factor) },
        },
      })
    await ask(1, 3)
    const before = model.compiledQuestions
    expect((await ask(4, 3)).values['logits']?.dims).toEqual([4, CLASSES])
    expect(model.compiledQuestions).toBe(before)
    await ask(1, 4)
    expect(model.compiledQuestions).toBe(before + 1)
  })

  const image = given('image')
  const refused: readonly (readonly [string, Question, string])[] = [
    ['a shared tensor with rows', { read: [], formulas: { shared: { image: picture } } }, 'first axis must be 1'],
    [
      'rows that differ',
      { read: [], formulas: { perRow: { image: picture, other: random([3, 1], 1) } } },
      '"other" has the shape [3, 1], other tensors 2 rows',
    ],
    [
      'a name given twice',
      { read: [], formulas: { perRow: { image: picture }, shared: { image: random([1], 1) } } },
      '"image" is given twice',
    ],
    [
      'a tensor that is not given',
      { read: ['logits'], formulas: { inputs: { image } } },
      '"image", which is not given',
    ],
    [
      'an input made of a gradient',
      { read: ['logits'], formulas: { inputs: { image: gradient('image') } } },
      'the gradient of "image", which is not known yet',
    ],
    [
      'an input of another shape',
      { read: ['logits'], formulas: { perRow: { image: random([1, 3, 4, 4], 1) }, inputs: { image } } },
      'takes the shape [?, 3, 40, 48], found [1, 3, 4, 4]',
    ],
    [
      'shapes without a common one',
      {
        read: ['logits'],
        formulas: {
          perRow: { image: picture },
          shared: { odd: random([1, 5], 1) },
          inputs: { image: add(image, given('odd')) },
        },
      },
      '[2, 3, 40, 48] and [1, 5] have no common shape',
    ],
    [
      'matrices that do not fit',
      { read: ['logits'], formulas: { perRow: { image: picture }, inputs: { image: matmul(image, image) } } },
      '[2, 3, 40, 48] cannot be multiplied with [2, 3, 40, 48]',
    ],
    [
      'an axis that is not there',
      { read: ['logits'], formulas: { perRow: { image: picture }, inputs: { image: sum(image, [4]) } } },
      'has no axis 4',
    ],
    [
      'a map of other rank',
      {
        read: ['logits'],
        formulas: { shared: { flat: random([1, 5], 1) }, inputs: { image: resize(given('flat'), [40, 48]) } },
      },
      '[1, 5] is no map [N, C, H, W] to be resized',
    ],
    [
      'a size that is none',
      { read: ['logits'], formulas: { perRow: { image: picture }, inputs: { image: resize(image, [40, 0.5]) } } },
      'a map cannot be resized to [40, 0.5]',
    ],
    [
      'an output that reads what is not given',
      { feeds: { image: picture }, read: [], formulas: { outputs: { sum: add(value('logits'), given('nothing')) } } },
      '"nothing", which is not given',
    ],
    [
      'an output whose shapes do not fit, before it runs',
      {
        feeds: { image: picture },
        read: [],
        formulas: { shared: { odd: random([1, 5], 1) }, outputs: { sum: add(value('logits'), given('odd')) } },
      },
      '[?, 7] and [1, 5] have no common shape',
    ],
    [
      'an axis that the logits have not',
      { feeds: { image: picture }, read: [], formulas: { outputs: { first: oneHotArgmax(value('logits'), 2) } } },
      '[?, 7] has no axis 2',
    ],
    [
      'a gradient of nothing',
      { feeds: { image: picture }, read: [], formulas: { outputs: { g: gradient('image') } } },
      'needs an output to be the gradient of',
    ],
    [
      'a cotangent of other rows',
      {
        read: [],
        gradient: { of: { logits: random([3, CLASSES], 1) }, wrt: ['image'] },
        formulas: { perRow: { image: picture }, inputs: { image } },
      },
      'Give as many of each',
    ],
  ]
  it.each(refused)('refuses %s, saying so', async (_, question, message) => {
    await expect(model.ask(question)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining(message),
    })
  })

  it('refuses a layer that the model has not', async () => {
    const outputs = { map: value('nowhere') }
    await expect(model.ask({ feeds: { image: picture }, read: [], formulas: { outputs } })).rejects.toMatchObject({
      code: 'UNKNOWN_LAYER',
    })
  })
})

it('one output of a node may be replaced while another is needed', async () => {
  const halves = await loadGraph(
    graphOf({
      inputs: [{ name: 'x', type: DataType.float, shape: ['n', 4] }],
      nodes: [
        node('Split', ['x', 'sizes'], ['a', 'b'], { axis: { kind: 'int', value: 1 } }),
        node('Mul', ['a', 'b'], ['y']),
      ],
      outputs: ['y'],
      constants: new Map([['sizes', intConstant([2, 2])]]),
    }),
  )
  const x = float32([1, 2, 3, 4], [1, 4])
  const a = float32([10, 20], [1, 2])
  expect([...((await halves.ask({ feeds: { x }, from: { a }, read: ['y'] })).values['y']?.data ?? [])]).toEqual([
    30, 80,
  ])
  const formulas = { shared: { a }, inputs: { a: given('a') } }
  expect([...((await halves.ask({ feeds: { x }, formulas, read: ['y'] })).values['y']?.data ?? [])]).toEqual([30, 80])
  await halves.dispose()
})
