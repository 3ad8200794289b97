/** Formulas: the interpreter against numbers done by hand, the engine against the interpreter. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  abs,
  add,
  divide,
  given,
  gradient,
  matmul,
  max,
  mean,
  min,
  multiply,
  relu,
  subtract,
  sum,
  value,
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
  ]
  const tensors: Readonly<Record<string, FloatTensor>> = { a, b, t: float32([1, -4, -2, 5, 3, -6], [3, 2]) }
  it.each(hands)('%s', (_, formula, dims, expected) => {
    const result = interpret(formula, (leaf) => tensors[leaf.kind === 'given' ? leaf.name : ''] as FloatTensor)
    expect(result.dims).toEqual(dims)
    expect([...result.data]).toEqual(expected)
  })
})

/** A map's channels, its gradient, a number a channel, matrices: [N, 24, 10, 12] is the shape of the tap. */
const TAP = 'layer'
const shared = { channel: random([1, 24, 1, 1], 3), left: random([1, 1, 5, 10], 4) }
const perRow = { weight: random([ROWS, 1, 1, 1], 5) }
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
}

describe('the ONNX engine', () => {
  const tapOf = (): string => model.taps.filter((one) => one.shape[1] === 24 && one.shape[2] === 10)[0]?.id ?? ''
  /** TAP stands for a layer of the network. */
  const placed = (formula: Formula): Formula =>
    JSON.parse(JSON.stringify(formula).replaceAll(`"${TAP}"`, JSON.stringify(tapOf()))) as Formula
  const literally = (question: Question) => askLiterally(question, model.inputs, (plain) => model.ask(plain))

  it.each(Object.keys(FORMULAS))('computes what the interpreter does: %s', async (name) => {
    const question: Question = {
      feeds: { image: picture },
      read: ['logits'],
      gradient: { of, wrt: [] },
      formulas: { shared, perRow, outputs: { [name]: placed(FORMULAS[name] as Formula) } },
    }
    const [ours, reference] = [await model.ask(question), await literally(question)]
    const [found, expected] = [ours.computed[name], reference.computed[name]]
    expect(found?.dims).toEqual(expected?.dims)
    expect(expected?.data.some((one) => one !== 0)).toBe(true)
    expect(relativeDifference(found?.data ?? [], expected?.data ?? [])).toBeLessThan(FLOAT32)
    expect(ours.values['logits']).toEqual(reference.values['logits'])
    expect(ours.gradients).toEqual({})
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
