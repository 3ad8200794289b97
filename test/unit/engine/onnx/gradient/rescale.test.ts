/** DeepLIFT: Captum's multipliers, a literal rule for every kind of operator, and sums that come out on whole networks. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readNetwork } from '../../../../../bench/networks/network.ts'
import type { ExplainableModel, Reference } from '../../../../../lib/engine/model.ts'
import { floatConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type Attribute, type GraphNode } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { loadOnnxModel } from '../../../../../lib/engine/onnx/model/load.ts'
import { float32, sizeOf, type FloatTensor, type Tensor } from '../../../../../lib/tensor/tensor.ts'
import { captumGoldens, captumModel } from '../../../../helpers/captum-network.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'
import { FLOAT32, NETWORK_GRADIENT, relativeDifference } from '../../../../helpers/tolerance.ts'

const floats = (dims: readonly number[], seed: number): FloatTensor => float32(normals(sizeOf(dims), seed), dims)
const dataOf = (tensor: FloatTensor | undefined): Float32Array => (tensor as FloatTensor).data
const oneHot = (rows: number, classes: number): FloatTensor =>
  float32(
    Array.from({ length: rows * classes }, (_, at) => (at % classes === Math.floor(at / classes) ? 1 : 0)),
    [rows, classes],
  )

describe('equals Captum', () => {
  test.each(captumGoldens().deepLift.map((one) => [one.name, one] as const))('%s', async (_, golden) => {
    const model = await loadGraph(graphOf(captumModel(golden)))
    const ask = async (reference: FloatTensor): Promise<Float32Array> => {
      const rules = { id: 'rescale', reference: { feeds: { x: reference } } }
      const gradient = { of: { [model.logits]: oneHot(2, 3) }, wrt: ['x'], rules }
      return dataOf((await model.ask({ feeds: { x: golden.x }, read: [], gradient })).gradients['x'])
    }
    const found = await ask(golden.reference)
    expect(relativeDifference(found, golden.expected.data)).toBeLessThan(NETWORK_GRADIENT)
    const twice = float32([...golden.reference.data, ...golden.reference.data], golden.x.dims)
    expect(relativeDifference(await ask(twice), found)).toBeLessThan(NETWORK_GRADIENT)
    await model.dispose()
  })
})

describe('each kind of operator, literally', () => {
  const inputs = ['a', 'b'].map((name) => ({ name, type: DataType.float, shape: ['rows', 6] }))
  const [a, b] = [floats([2, 6], 1), floats([2, 6], 2)]
  const [a0, b0] = [floats([2, 6], 3), floats([2, 6], 4)]
  const g = floats([2, 6], 5)
  interface Numbers {
    readonly a: number
    readonly b: number
    readonly a0: number
    readonly b0: number
    readonly g: number
  }
  const each = (make: (at: Numbers) => number): number[] =>
    Array.from(g.data, (value, at) => {
      const of = (tensor: FloatTensor): number => tensor.data[at] ?? NaN
      return make({ a: of(a), b: of(b), a0: of(a0), b0: of(b0), g: value })
    })
  const multipliers = async (
    nodes: readonly GraphNode[],
    feeds: Readonly<Record<string, FloatTensor>>,
    reference: Reference,
    wrt = ['a', 'b'],
  ): Promise<readonly Float32Array[]> => {
    const constants = new Map([['three', floatConstant([3], [])]])
    const model = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants, opset: 20 }))
    const rules = { id: 'rescale', reference }
    const { gradients } = await model.ask({ feeds, read: [], gradient: { of: { y: g }, wrt, rules } })
    await model.dispose()
    return wrt.map((name) => dataOf(gradients[name]))
  }
  const whole = { feeds: { a: a0, b: b0 } }
  const binary = (operator: string): GraphNode[] => [node(operator, ['a', 'b'], ['y'])]

  const meanFactor = ({ g, a, a0 }: Numbers): number => (g * (a + a0)) / 2
  test.each<readonly [string, string, Reference, (at: Numbers) => number, (at: Numbers) => number]>([
    [
      'a product: the mean of the other factor and its reference',
      'Mul',
      whole,
      ({ g, b, b0 }) => (g * (b + b0)) / 2,
      meanFactor,
    ],
    [
      'a quotient: a product with a reciprocal',
      'Div',
      whole,
      ({ g, b, b0 }) => (g * (1 / b + 1 / b0)) / 2,
      (at) => meanFactor(at) * ((1 / at.b - 1 / at.b0) / (at.b - at.b0)),
    ],
    [
      'a factor of which the reference says nothing is a weight',
      'Mul',
      { feeds: { a: a0 } },
      ({ g, b }) => g * b,
      meanFactor,
    ],
  ])('%s', async (_, operator, reference, ofFirst, ofSecond) => {
    const [first = [], second = []] = await multipliers(binary(operator), { a, b }, reference)
    expect(relativeDifference(first, each(ofFirst))).toBeLessThan(FLOAT32)
    expect(relativeDifference(second, each(ofSecond))).toBeLessThan(FLOAT32)
  })

  test('a function: Δy / Δx, and the gradient at the reference', async () => {
    const near = float32(
      a.data.map((value, at) => (at % 2 === 0 ? value : (a0.data[at] ?? 0))),
      a.dims,
    )
    const nodes = [node('Tanh', ['a'], ['t']), node('Add', ['t', 'b'], ['y'])]
    const [found = []] = await multipliers(nodes, { a: near, b }, whole)
    const expected = each(({ a, a0, g }) => (g * (Math.tanh(a) - Math.tanh(a0))) / (a - a0)).map((value, at) =>
      at % 2 === 0 ? value : (g.data[at] ?? 0) * (1 - Math.tanh(a0.data[at] ?? 0) ** 2),
    )
    expect(relativeDifference(found, expected)).toBeLessThan(FLOAT32)
  })

  test.each([false, true])(
    'softmax, logarithm %s: exp(x - L) by its own steps, rows near their reference too',
    async (logarithm) => {
      const other = float32(
        a0.data.map((value, at) => (at < 6 ? value : (a.data[at] ?? 0) + 1e-5 * value)),
        a.dims,
      )
      const operator = logarithm ? 'LogSoftmax' : 'Softmax'
      const nodes = [node(operator, ['a'], ['p'], { axis: { kind: 'int', value: -1 } }), node('Add', ['p', 'b'], ['y'])]
      const [found = []] = await multipliers(nodes, { a, b }, { feeds: { a: other } })
      const expected = [0, 1].flatMap((at) => {
        const [x, x0, c] = [a, other, g].map((tensor) => [...tensor.data.subarray(6 * at, 6 * at + 6)]) as [number[], number[], number[]] // prettier-ignore
        const total = (values: number[]): number => values.reduce((sum, value) => sum + value, 0)
        const [s, s0] = [x, x0].map((values) => total(values.map(Math.exp))) as [number, number]
        const ratio = (value: (n: number) => number, from: number, to: number): number => (value(from) - value(to)) / (from - to) // prettier-ignore
        const u = c.map((one, i) => {
          const [from, to] = [(x[i] ?? 0) - Math.log(s), (x0[i] ?? 0) - Math.log(s0)]
          return logarithm ? one : one * ratio(Math.exp, from, to)
        })
        const slope = ratio(Math.log, s, s0)
        return u.map((one, i) => one - total(u) * slope * ratio(Math.exp, x[i] ?? 0, x0[i] ?? 0))
      })
      expect(relativeDifference(found, expected)).toBeLessThan(1e-4) // the literal ratio loses digits in the second row
    },
  )

  test('softmax with a number far below its reference, a masked one, and one that did not change', async () => {
    const x = float32([0, -200, 1, -Infinity, 3, 4], [1, 6])
    const x0 = float32([0, 50, 2, -Infinity, 1, -120], [1, 6])
    const model = await loadGraph(graphOf({ nodes: [node('Softmax', ['a'], ['y'], { axis: { kind: 'int', value: -1 } })], inputs: inputs.slice(0, 1), outputs: ['y'], constants: new Map() })) // prettier-ignore
    const of = { y: floats([1, 6], 9) }
    const rules = { id: 'rescale', reference: { feeds: { a: x0 } } }
    const { gradients } = await model.ask({ feeds: { a: x }, read: [], gradient: { of, wrt: ['a'], rules } })
    const [y, y0] = await Promise.all([x, x0].map(async (one) => dataOf((await model.ask({ feeds: { a: one }, read: ['y'] })).values['y']))) // prettier-ignore
    const found = dataOf(gradients['a'])
    const expected = of.y.data.reduce((sum, weight, at) => sum + weight * ((y?.[at] ?? 0) - (y0?.[at] ?? 0)), 0)
    const sum = found.reduce((all, one, at) => all + (at === 3 ? 0 : one * ((x.data[at] ?? 0) - (x0.data[at] ?? 0))), 0)
    expect(found.every(Number.isFinite)).toBe(true)
    expect(sum).toBeCloseTo(expected, 4)
    await model.dispose()
  })

  test('overlapping windows of a maximum: the parts add up', async () => {
    const window = {
      kernel_shape: { kind: 'ints', value: [3] },
      strides: { kind: 'ints', value: [1] },
    } satisfies Record<string, Attribute>
    const shaped = [{ name: 'x', type: DataType.float, shape: ['rows', 2, 5] }]
    const [x, x0, weights] = [floats([2, 2, 5], 11), floats([1, 2, 5], 12), floats([2, 2, 3], 13)]
    const model = await loadGraph(graphOf({ nodes: [node('MaxPool', ['x'], ['y'], window)], inputs: shaped, outputs: ['y'], constants: new Map() })) // prettier-ignore
    const rules = { id: 'rescale', reference: { feeds: { x: x0 } } }
    const { gradients } = await model.ask({
      feeds: { x },
      read: [],
      gradient: { of: { y: weights }, wrt: ['x'], rules },
    })
    const expected = new Array<number>(20).fill(0)
    for (let line = 0; line < 4; line++)
      for (let start = 0; start < 3; start++) {
        const places = [0, 1, 2].map((tap) => start + tap)
        const here = (at: number): number => x.data[line * 5 + at] ?? NaN
        const there = (at: number): number => x0.data[(line % 2) * 5 + at] ?? NaN
        const best = (of: (at: number) => number): number =>
          places.reduce((one, two) => (of(two) > of(one) ? two : one))
        const [own, other] = [best(here), best(there)]
        const at = here(own) > there(other) ? own : other
        const share = (weights.data[line * 3 + start] ?? 0) * (here(own) - there(other))
        expected[line * 5 + at] = (expected[line * 5 + at] ?? 0) + share / (here(at) - there(at))
      }
    expect(relativeDifference(dataOf(gradients['x']), expected)).toBeLessThan(FLOAT32)
    await model.dispose()
  })

  test.each<readonly [string, readonly GraphNode[]]>([
    [
      'ReduceMax',
      [node('ReduceMax', ['a'], ['m'], { keepdims: { kind: 'int', value: 1 } }), node('Add', ['m', 'b'], ['y'])],
    ],
    ['Max', [node('Max', ['a', 'b'], ['y'])]],
    ['Where', [node('Less', ['a', 'b'], ['c']), node('Where', ['c', 'a', 'b'], ['y'])]],
    ['Pow', [node('Pow', ['a', 'b'], ['y'])]],
  ])('%s of what varies has no rule, and the error names it', async (operator, nodes) => {
    await expect(multipliers(nodes, { a, b }, whole)).rejects.toMatchObject({
      code: 'NOT_DIFFERENTIABLE',
      message: expect.stringContaining(`No gradient rule for ${operator} (`) as unknown,
    })
  })
})

describe('the reference pass', () => {
  const nodes = [
    node('Exp', ['side'], ['gate']),
    node('Tanh', ['x'], ['t']),
    node('Mul', ['t', 'gate'], ['m']),
    node('Tanh', ['m'], ['y']),
  ]
  const inputs = ['x', 'side'].map((name) => ({ name, type: DataType.float, shape: ['rows', 3] }))
  const graph = graphOf({ nodes, inputs, outputs: ['y'], constants: new Map() })
  const feeds = { x: floats([2, 3], 1), side: floats([2, 3], 2) }
  const of = { y: floats([2, 3], 3) }

  test('what it says nothing of is computed once', async () => {
    const { compileQuestion, NO_FORMULAS } = await import('../../../../../lib/engine/onnx/question/compile.ts')
    const { Bending } = await import('../../../../../lib/engine/onnx/gradient/bending.ts')
    const { RULE_SETS } = await import('../../../../../lib/engine/onnx/gradient/rule-sets/index.ts')
    const rules = new Bending({ id: 'rescale', reference: { feeds: { x: feeds.x } } }, RULE_SETS)
    const plan = { replaced: [], read: [], of: ['y'], wrt: ['x'], rules, formulas: NO_FORMULAS }
    const compiled = compileQuestion({ ...graph, values: new Map(inputs.map((one) => [one.name, one])) }, plan)
    const count = (operator: string): number => compiled.graph.nodes.filter((one) => one.operator === operator).length
    expect([count('Exp'), count('Tanh')]).toEqual([1, 4])
    expect([...compiled.references]).toEqual([['x', 'limelight:reference/x']])
  })

  test('may start at inner taps, and at several', async () => {
    const model = await loadGraph(graph)
    const ask = async (reference: Reference, from?: Readonly<Record<string, FloatTensor>>): Promise<Float32Array> => {
      const rules = { id: 'rescale', reference }
      const question = from === undefined ? { feeds } : { feeds: { side: feeds.side }, from }
      const { gradients } = await model.ask({ ...question, read: [], gradient: { of, wrt: ['m'], rules } })
      return dataOf(gradients['m'])
    }
    const { values } = await model.ask({ feeds, read: ['m', 't', 'gate'] })
    const [m, gate] = [dataOf(values['m']), dataOf(values['gate'])]
    const [t0, m0] = [floats([1, 3], 4), floats([2, 3], 5)]
    const literal = (reference: (at: number) => number): number[] =>
      [...m].map((value, at) => {
        const other = reference(at)
        return ((of.y.data[at] ?? 0) * (Math.tanh(value) - Math.tanh(other))) / (value - other)
      })
    const behind = literal((at) => (t0.data[at % 3] ?? 0) * (gate[at] ?? 0))
    expect(relativeDifference(await ask({ from: { t: t0 } }), behind)).toBeLessThan(FLOAT32)
    const direct = literal((at) => m0.data[at] ?? 0)
    expect(relativeDifference(await ask({ from: { m: m0 } }), direct)).toBeLessThan(FLOAT32)
    // The nearer one decides.
    expect(relativeDifference(await ask({ from: { m: m0 }, feeds: { x: m0 } }), direct)).toBeLessThan(FLOAT32)
    // A tap that the question replaces is the same in both passes, unless the reference replaces it too.
    const t = values['t'] as FloatTensor
    expect(relativeDifference(await ask({ from: { t: t0 } }, { t }), behind)).toBeLessThan(FLOAT32)
    await model.dispose()
  })

  test('other numbers compile nothing, other names do; rows must fit', async () => {
    const model = await loadGraph(graph)
    const ask = (reference: Reference) =>
      model.ask({ feeds, read: [], gradient: { of, wrt: ['x'], rules: { id: 'rescale', reference } } })
    await ask({ feeds: { x: floats([1, 3], 1) } })
    await ask({ feeds: { x: floats([2, 3], 2) } })
    expect(model.compiledQuestions).toBe(1)
    await ask({ feeds: { x: floats([1, 3], 1), side: floats([1, 3], 1) } })
    expect(model.compiledQuestions).toBe(2)
    await expect(ask({ feeds: { x: floats([3, 3], 1) } })).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await expect(ask({ feeds: { x: floats([1, 4], 1) } })).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await expect(ask({ feeds: { other: floats([1, 3], 1) } })).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await expect(ask({ from: { other: floats([1, 3], 1) } })).rejects.toMatchObject({ code: 'UNKNOWN_LAYER' })
    await expect(ask({})).rejects.toMatchObject({ code: 'BAD_PARAMETER' })
    await model.dispose()
  })
})

describe('multipliers times differences add up to the difference of the outputs', () => {
  const FOLDER = fileURLToPath(new URL('../../../../fixtures/networks', import.meta.url))
  const stems = [
    ...['alexnet', 'densenet', 'mobilenet-v3', 'efficientnet', 'convnext', 'vit', 'swin'],
    ...['distilbert', 'deberta-v3', 'gpt2'],
  ]

  const replaced = (
    model: ExplainableModel,
    tap: string,
    value: FloatTensor,
    feeds: Readonly<Record<string, Tensor>>,
  ) => (model.inputs.includes(tap) ? { feeds: { ...feeds, [tap]: value } } : { feeds, from: { [tap]: value } })

  test.each(stems)('%s, each row as alone, one reference for all or one each', async (stem) => {
    const network = await readNetwork(FOLDER, stem)
    if ('refused' in network) throw new Error(network.refused)
    const model = await loadOnnxModel(network.path, { threads: 1 })
    const [{ tap } = { tap: '' }] = network.questions
    const { feeds, cotangent } = network
    const { values } = await model.ask({ feeds, read: [tap, model.logits] })
    const [x, logits] = [values[tap] as FloatTensor, dataOf(values[model.logits])]
    const [rows = 1, ...rest] = x.dims
    const one = float32(normals(sizeOf(rest), 3).map((value) => value / 3), [1, ...rest]) // prettier-ignore
    const all = float32(Array.from({ length: rows }, () => [...one.data]).flat(), x.dims)
    const ask = async (
      reference: FloatTensor,
      given: Readonly<Record<string, Tensor>>,
      of: FloatTensor,
    ): Promise<Float32Array> => {
      const stated = model.inputs.includes(tap) ? { feeds: { [tap]: reference } } : { from: { [tap]: reference } }
      const rules = { id: 'rescale', reference: stated }
      const answer = await model.ask({
        feeds: given,
        read: [],
        gradient: { of: { [model.logits]: of }, wrt: [tap], rules },
      })
      return dataOf(answer.gradients[tap])
    }
    const found = await ask(one, feeds, cotangent)
    const other = dataOf(
      (await model.ask({ ...replaced(model, tap, all, feeds), read: [model.logits] })).values[model.logits],
    )
    const [size, classes] = [sizeOf(rest), logits.length / rows]
    for (let at = 0; at < rows; at++) {
      const sum = (count: number, of: (index: number) => number): number =>
        Array.from({ length: count }, (_, index) => of(at * count + index)).reduce((left, right) => left + right, 0)
      const parts = sum(size, (index) => (found[index] ?? 0) * ((x.data[index] ?? 0) - (all.data[index] ?? 0)))
      const spread = sum(size, (index) => Math.abs((found[index] ?? 0) * ((x.data[index] ?? 0) - (all.data[index] ?? 0)))) // prettier-ignore
      const difference = sum(classes, (index) => (cotangent.data[index] ?? 0) * ((logits[index] ?? 0) - (other[index] ?? 0))) // prettier-ignore
      expect(Math.abs(parts - difference) / Math.max(Math.abs(difference), spread / 100)).toBeLessThan(1e-3)
      const single = (tensor: Tensor): Tensor => {
        const length = tensor.data.length / (tensor.dims[0] ?? 1)
        return {
          ...tensor,
          dims: [1, ...tensor.dims.slice(1)],
          data: tensor.data.slice(at * length, (at + 1) * length),
        }
      }
      const alone = Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, single(feed)]))
      const own = await ask(one, alone, single(cotangent) as FloatTensor)
      expect(relativeDifference(found.subarray(at * size, (at + 1) * size), own)).toBeLessThan(NETWORK_GRADIENT)
    }
    expect(relativeDifference(await ask(all, feeds, cotangent), found)).toBeLessThan(NETWORK_GRADIENT)
    await model.dispose()
  })
})
