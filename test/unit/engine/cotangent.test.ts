/**
 * Scalars that are not linear in the logits: their derivative is a formula, computed in the question's own run. In both
 * engines, against derivatives done by hand and against finite differences.
 */
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  add,
  divide,
  given,
  gradient,
  multiply,
  oneHotArgmax,
  softmax,
  sqrt,
  square,
  subtract,
  sum,
  value,
  type Formula,
} from '../../../lib/engine/formula.ts'
import { askLiterally } from '../../../lib/engine/literal-formulas.ts'
import type { Answer, Cotangent, ExplainableModel, Formulas } from '../../../lib/engine/model.ts'
import { floatConstant } from '../../../lib/engine/onnx/graph/constant.ts'
import { DataType } from '../../../lib/engine/onnx/graph/graph.ts'
import { OnnxModel } from '../../../lib/engine/onnx/model/onnx-model.ts'
import { float32, type FloatTensor } from '../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../helpers/operator-model.ts'
import { normals } from '../../helpers/random.ts'
import { FINITE_DIFFERENCE, FLOAT32, relativeDifference } from '../../helpers/tolerance.ts'
import { explainable } from './tfjs/keras-models.ts'

const ROWS = 3
const SIZE = 5
const CLASSES = 4
const random = (dims: readonly number[], seed: number): FloatTensor =>
  float32(
    normals(
      dims.reduce((a, b) => a * b, 1),
      seed,
    ),
    dims,
  )

interface Network {
  readonly model: ExplainableModel
  readonly input: string
  readonly hidden: string
  /** Made of the hidden layer, beside the logits. */
  readonly aside: string
}

/** tanh(x A) B beside tanh(x A) C: smooth, so that differences of outputs tell derivatives. */
async function onnxNetwork(): Promise<Network> {
  const weight = (rows: number, columns: number, seed: number) =>
    floatConstant(normals(rows * columns, seed), [rows, columns])
  const model = await loadGraph(
    graphOf({
      inputs: [{ name: 'x', type: DataType.float, shape: ['n', SIZE] }],
      nodes: [
        node('MatMul', ['x', 'A'], ['sums']),
        node('Tanh', ['sums'], ['h']),
        node('MatMul', ['h', 'B'], ['logits']),
        node('MatMul', ['h', 'C'], ['aside']),
      ],
      outputs: ['logits', 'aside'],
      constants: new Map([
        ['A', weight(SIZE, SIZE, 1)],
        ['B', weight(SIZE, CLASSES, 2)],
        ['C', weight(SIZE, CLASSES, 3)],
      ]),
    }),
  )
  return { model, input: 'x', hidden: 'h', aside: 'aside' }
}

function kerasNetwork(): tf.LayersModel {
  const x = tf.input({ shape: [SIZE], name: 'x' })
  const h = tf.layers.dense({ units: SIZE, activation: 'tanh', name: 'h' }).apply(x) as tf.SymbolicTensor
  const output = (name: string) => tf.layers.dense({ units: CLASSES, name }).apply(h) as tf.SymbolicTensor
  return tf.model({ inputs: x, outputs: [output('logits'), output('aside')] })
}

async function tfjsNetwork(): Promise<Network> {
  const { model } = await explainable(kerasNetwork)
  return { model, input: 'x', hidden: 'h', aside: 'aside' }
}

const probabilities = (logits: readonly number[]): number[] => {
  const exponentials = logits.map(Math.exp)
  const total = exponentials.reduce((a, b) => a + b, 0)
  return exponentials.map((one) => one / total)
}
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((total, one, at) => total + one * (b[at] ?? NaN), 0)

const direction = random([1, CLASSES], 4)
const norm = (x: ArrayLike<number>): number => Math.sqrt(dot(x, x))

/** A scalar of one row's logits for its class, and its derivative as a formula of the logits z and the class's one-hot c. */
interface Scalar {
  readonly of: (z: readonly number[], c: number) => number
  readonly derivative: (z: readonly number[], c: number) => readonly number[]
  readonly formula: (z: Formula, c: Formula) => Formula
}
const ofClass = (p: Formula, c: Formula): Formula => sum(multiply(p, c), [1])
const SCALARS: Readonly<Record<string, Scalar>> = {
  probability: {
    of: (z, c) => probabilities(z)[c] ?? NaN,
    derivative: (z, c) => probabilities(z).map((p, k, all) => (all[c] ?? NaN) * (Number(k === c) - p)),
    formula: (z, c) => multiply(ofClass(softmax(z, 1), c), subtract(c, softmax(z, 1))),
  },
  'log-odds': {
    of: (z, c) => Math.log((probabilities(z)[c] ?? NaN) / (1 - (probabilities(z)[c] ?? NaN))),
    derivative: (z, c) => probabilities(z).map((p, k, all) => (Number(k === c) - p) / (1 - (all[c] ?? NaN))),
    formula: (z, c) => divide(subtract(c, softmax(z, 1)), subtract(1, ofClass(softmax(z, 1), c))),
  },
  'log-softmax': {
    of: (z, c) => Math.log(probabilities(z)[c] ?? NaN),
    derivative: (z, c) => probabilities(z).map((p, k) => Number(k === c) - p),
    formula: (z, c) => subtract(c, softmax(z, 1)),
  },
  cosine: {
    of: (z) => dot(z, direction.data) / (norm(z) * norm(direction.data)),
    derivative: (z) =>
      z.map((one, k) => {
        const cosine = dot(z, direction.data) / (norm(z) * norm(direction.data))
        return ((direction.data[k] ?? NaN) / norm(direction.data) - (cosine * one) / norm(z)) / norm(z)
      }),
    formula: (z) => {
      const length = sqrt(sum(square(z), [1]))
      const unit = divide(given('direction'), sqrt(sum(square(given('direction')), [1])))
      const cosine = divide(sum(multiply(z, unit), [1]), length)
      return divide(subtract(unit, divide(multiply(cosine, z), length)), length)
    },
  },
}

const rowsOf = ({ dims: [rows = 0], data }: FloatTensor): number[][] =>
  Array.from({ length: rows }, (_, row) => [
    ...data.subarray((row * data.length) / rows, ((row + 1) * data.length) / rows),
  ])
const oneHots = (classes: readonly number[]): FloatTensor =>
  float32(
    classes.flatMap((c) => Array.from({ length: CLASSES }, (_, k) => Number(k === c))),
    [classes.length, CLASSES],
  )
function at(tensors: Answer['values'], name: string): FloatTensor {
  const tensor = tensors[name]
  if (tensor === undefined) throw new Error(`no ${name}`)
  return tensor
}

describe.each([
  ['ONNX', onnxNetwork],
  ['TensorFlow.js', tfjsNetwork],
] as const)('a cotangent that is a formula: %s', (engine, load) => {
  let network: Network
  let model: ExplainableModel
  const x = random([ROWS, SIZE], 8)
  beforeAll(async () => {
    network = await load()
    model = network.model
  })

  const ask = (formula: Formula, formulas: Formulas = {}, feed: FloatTensor = x, wrt = [network.input]) =>
    model.ask({
      feeds: { [network.input]: feed },
      read: [model.logits],
      gradient: { of: { [model.logits]: formula }, wrt },
      formulas,
    })
  const byHand = async (of: Cotangent, feed: FloatTensor = x) =>
    at(
      (await model.ask({ feeds: { [network.input]: feed }, read: [], gradient: { of, wrt: [network.input] } }))
        .gradients,
      network.input,
    )
  const logitsAt = async (feed: FloatTensor) =>
    rowsOf(at((await model.ask({ feeds: { [network.input]: feed }, read: [model.logits] })).values, model.logits))

  const cases = Object.keys(SCALARS).flatMap((name) => [ROWS, 1].map((rows) => [name, rows] as const))
  it.each(cases)('%s, %d rows: as by hand, and as differences of the scalar say', async (name, rows) => {
    const scalar = SCALARS[name] as Scalar
    const classes = [2, 0, 3].slice(0, rows)
    const feed = float32(x.data.slice(0, rows * SIZE), [rows, SIZE])
    const formulas = { perRow: { class: oneHots(classes) }, shared: { direction } }
    const { gradients, values } = await ask(scalar.formula(value(model.logits), given('class')), formulas, feed)
    const logits = rowsOf(at(values, model.logits))
    const weights = logits.flatMap((z, row) => [...scalar.derivative(z, classes[row] ?? NaN)])
    const found = at(gradients, network.input)
    const expected = await byHand({ [model.logits]: float32(weights, [rows, CLASSES]) }, feed)
    expect(found.dims).toEqual([rows, SIZE])
    expect(relativeDifference(found.data, expected.data)).toBeLessThan(FLOAT32)

    const way = random([rows, SIZE], 21).data
    const step = 0.02
    const scalarsAt = async (distance: number) => {
      const moved = feed.data.map((one, place) => one + distance * (way[place] ?? NaN))
      const all = await logitsAt(float32(moved, feed.dims))
      return all.map((z, row) => scalar.of(z, classes[row] ?? NaN))
    }
    const [far, near, nearBehind, farBehind] = [
      await scalarsAt(2 * step),
      await scalarsAt(step),
      await scalarsAt(-step),
      await scalarsAt(-2 * step),
    ]
    rowsOf(found).forEach((row, index) => {
      const ways = way.subarray(index * SIZE, (index + 1) * SIZE)
      const differences =
        (8 * ((near[index] ?? NaN) - (nearBehind[index] ?? NaN)) - ((far[index] ?? NaN) - (farBehind[index] ?? NaN))) /
        (12 * step)
      expect(Math.abs(dot(row, ways) - differences) / (norm(row) * norm(ways))).toBeLessThan(FINITE_DIFFERENCE)
    })
  })

  it('the predicted class of each row, without a second question', async () => {
    const logits = await logitsAt(x)
    const predicted = logits.map((z) => z.indexOf(Math.max(...z)))
    expect(new Set(predicted).size).toBeGreaterThan(1)
    const { gradients } = await ask(oneHotArgmax(value(model.logits), 1))
    const expected = await byHand({ [model.logits]: oneHots(predicted) })
    expect(at(gradients, network.input)).toEqual(expected)
  })

  it('widens what is the same for every row or every class', async () => {
    const shared = { direction }
    const repeated = float32(Array.from({ length: ROWS }, () => [...direction.data]).flat(), [ROWS, CLASSES])
    const { gradients } = await ask(given('direction'), { shared })
    expect(at(gradients, network.input)).toEqual(await byHand({ [model.logits]: repeated }))
    const number = await ask({ kind: 'number', value: 0.5 })
    const halves = float32(new Float32Array(ROWS * CLASSES).fill(0.5), [ROWS, CLASSES])
    expect(at(number.gradients, network.input)).toEqual(await byHand({ [model.logits]: halves }))
  })

  it('stands beside a cotangent that is a tensor, and formulas of the gradient', async () => {
    const weights = random([ROWS, CLASSES], 31)
    const question = {
      feeds: { [network.input]: x },
      read: [],
      gradient: { of: { [model.logits]: softmax(value(model.logits), 1), [network.aside]: weights }, wrt: [] },
      formulas: { outputs: { g: gradient(network.input) } },
    }
    const { computed } = await model.ask(question)
    const logits = await logitsAt(x)
    const expected = await byHand({
      [model.logits]: float32(logits.flatMap(probabilities), [ROWS, CLASSES]),
      [network.aside]: weights,
    })
    expect(relativeDifference(at(computed, 'g').data, expected.data)).toBeLessThan(FLOAT32)
    const twice = await askLiterally(question, model.inputs, (plain) => model.ask(plain))
    expect(relativeDifference(at(computed, 'g').data, at(twice.computed, 'g').data)).toBeLessThan(FLOAT32)
  })

  it('reads taps that the scalar does not depend on, and is not differentiated through them', async () => {
    const { values } = await model.ask({ feeds: { [network.input]: x }, read: [network.aside] })
    const aside = at(values, network.aside)
    const { gradients } = await ask(value(network.aside), {}, x, [network.hidden, network.input])
    expect(relativeDifference(at(gradients, network.input).data, (await byHand({ [model.logits]: aside })).data)).toBe(
      0,
    )
    const there = await model.ask({
      from: { [network.hidden]: random([ROWS, SIZE], 41) },
      read: [network.aside],
      gradient: { of: { [model.logits]: value(network.aside) }, wrt: [network.hidden] },
    })
    const expected = await model.ask({
      from: { [network.hidden]: random([ROWS, SIZE], 41) },
      read: [],
      gradient: { of: { [model.logits]: at(there.values, network.aside) }, wrt: [network.hidden] },
    })
    expect(there.gradients).toEqual(expected.gradients)
  })

  it('is zero at a tap that nothing leads from', async () => {
    const { gradients } = await ask(value(model.logits), {}, x, [network.aside]).catch((thrown: unknown) => {
      // TensorFlow.js' engine refuses to be asked there.
      expect(thrown).toMatchObject({ code: 'NOT_DIFFERENTIABLE' })
      return { gradients: { [network.aside]: float32(new Float32Array(ROWS * CLASSES), [ROWS, CLASSES]) } }
    })
    expect(at(gradients, network.aside).data.every((one) => one === 0)).toBe(true)
  })

  const logits = { perRow: { rows: random([ROWS + 1, CLASSES], 1), odd: random([ROWS + 1, CLASSES + 1], 1) } }
  const refused: readonly (readonly [string, (z: Formula) => Formula, Formulas, string, string])[] = [
    [
      'a gradient',
      (z) => multiply(z, gradient('h')),
      {},
      'BAD_INPUT',
      'reads the gradient of "h", which is computed of',
    ],
    ['a tensor that is not given', () => given('nothing'), {}, 'BAD_INPUT', '"nothing", which is not given'],
    ['a layer that is not there', () => value('nowhere'), {}, 'UNKNOWN_LAYER', 'nowhere'],
    ['another number of classes', () => given('odd'), logits, 'BAD_INPUT', '5], found'],
    [
      'an axis too many',
      (z) => multiply(z, given('cube')),
      { shared: { cube: random([1, 1, 1, 4], 1) } },
      'BAD_INPUT',
      'found',
    ],
    ['another number of rows', () => given('rows'), logits, 'BAD_INPUT', ''],
    ['rows that widen the logits', (z) => add(z, given('rows')), logits, 'BAD_INPUT', ''],
  ]
  it.each(refused)('refuses %s, saying so', async (name, formula, formulas, code, message) => {
    const feed = float32(x.data.slice(0, SIZE), [1, SIZE])
    const thrown: unknown = await ask(formula(value(model.logits)), formulas, feed).catch((error: unknown) => error)
    expect(thrown, name).toMatchObject({ code })
    const words = (thrown as Error).message
    expect(words).toContain(name === 'another number of classes' ? 'must widen to the shape' : message)
  })

  it('runs the model forward once', async () => {
    if (engine === 'ONNX') {
      const onnx = model
      if (!(onnx instanceof OnnxModel)) throw new TypeError('another engine')
      const before = onnx.compiledQuestions
      await ask(multiply(2, softmax(value(model.logits), 1)))
      expect(onnx.compiledQuestions).toBe(before + 1)
      await ask(multiply(2, softmax(value(model.logits), 1)), {}, random([1, SIZE], 3))
      expect(onnx.compiledQuestions).toBe(before + 1)
      await ask(multiply(-Infinity, softmax(value(model.logits), 1)))
      await ask(multiply(NaN, softmax(value(model.logits), 1)))
      expect(onnx.compiledQuestions).toBe(before + 3)
    } else {
      const profile = await tf.profile(async () => {
        await ask(softmax(value(model.logits), 1))
        return []
      })
      expect(profile.kernels.filter(({ name }) => name === 'Tanh')).toHaveLength(1)
    }
  })

  it('leaves no tensor behind', async () => {
    await ask(softmax(value(model.logits), 1))
    const before = tf.memory().numTensors
    await ask(softmax(value(model.logits), 1))
    await ask(value(network.aside), {}, x, [network.hidden])
    await ask(given('rows'), logits).catch(() => undefined)
    expect(tf.memory().numTensors).toBe(before)
  })
})
