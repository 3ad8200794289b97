/**
 * Links in every spelling: behind z = 1.5 x, nodes that make probabilities of it. The head must be z again, [N, K], with the link
 * whose probabilities the whole file answers, and its gradient 1.5.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Link } from '../../../../../lib/engine/head.ts'
import type { ExplainableModel } from '../../../../../lib/engine/model.ts'
import { writeModel } from '../../../../../lib/engine/onnx/file/write-model.ts'
import { floatConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type Shape } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { NodeWriter, numbered } from '../../../../../lib/engine/onnx/graph/node-writer.ts'
import { loadOnnxModel } from '../../../../../lib/engine/onnx/model/load.ts'
import { probabilitiesOf } from '../../../../../lib/target/links.ts'
import { float32 } from '../../../../../lib/tensor/tensor.ts'
import { graphOf } from '../../../../helpers/operator-model.ts'
import { FLOAT32, relativeDifference } from '../../../../helpers/tolerance.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limelight-heads-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

type Tail = (write: NodeWriter, z: string) => string
const SLOPE = 1.5
let files = 0

async function loaded(shape: Shape, tail: Tail, labels: number | null): Promise<ExplainableModel> {
  const write = new NodeWriter(numbered('t/'))
  const end = tail(write, write.op('Mul', ['x', write.float(SLOPE)], {}, 'z'))
  write.op('Identity', [end], {}, 'out')
  const graph = graphOf({
    nodes: write.nodes,
    inputs: [{ name: 'x', type: DataType.float, shape }],
    outputs: ['out'],
    constants: write.constants,
  })
  const file = join(folder, `${files++}.onnx`)
  await writeFile(file, writeModel(graph))
  return loadOnnxModel(file, { threads: 1, ...(labels === null ? {} : { head: { labels } }) })
}

const softmax: Tail = (w, z) => w.op('Softmax', [z], { axis: -1 })
const sigmoid: Tail = (w, z) => w.op('Sigmoid', [z])
const exp = (w: NodeWriter, x: string): string => w.op('Exp', [x])
const shifted: Tail = (w, z) => w.sub(z, w.op('ReduceMax', [z, w.ints([-1])], { keepdims: 1 }))
const range = (w: NodeWriter, x: string, low: number, high: number): string =>
  w.op('Clip', [x, w.float(low), w.float(high)])
const onePlus = (w: NodeWriter, x: string): string => w.add(x, w.float(1))
const rounded: Tail = (w, x) => {
  const scale = w.float(1 / 255)
  const zero = w.constant({ type: DataType.uint8, dims: [], bytes: Uint8Array.of(0) })
  return w.op('DequantizeLinear', [w.op('QuantizeLinear', [x, scale, zero]), scale, zero])
}

/** [link, what the output is of the probabilities, tail] */
type Row = readonly [string, Link, 'p' | 'log p' | 'nearly p', Tail]
const ROWS: readonly Row[] = [
  ['Softmax', 'softmax', 'p', softmax],
  ['Softmax along axis 1', 'softmax', 'p', (w, z) => w.op('Softmax', [z], { axis: 1 })],
  ['LogSoftmax', 'softmax', 'log p', (w, z) => w.op('LogSoftmax', [z], { axis: -1 })],
  ['Exp of LogSoftmax', 'softmax', 'p', (w, z) => exp(w, w.op('LogSoftmax', [z], { axis: -1 }))],
  ['Log of Softmax', 'softmax', 'log p', (w, z) => w.op('Log', [softmax(w, z)])],
  ['Log of a guarded Softmax', 'softmax', 'log p', (w, z) => w.op('Log', [w.add(softmax(w, z), w.float(1e-7))])],
  ['Softmax in 4-D', 'softmax', 'p', (w, z) => w.op('Softmax', [w.unsqueeze(z, [2, 3])], { axis: 1 })],
  ['Softmax in 4-D, flattened', 'softmax', 'p', (w, z) => w.op('Flatten', [w.op('Softmax', [w.unsqueeze(z, [2, 3])], { axis: 1 })])],
  ['Softmax of [N, 1, K], squeezed', 'softmax', 'p', (w, z) => w.squeeze(softmax(w, w.unsqueeze(z, [1])), [1])],
  ['Softmax of unit axes turned', 'softmax', 'p', (w, z) => w.transpose(softmax(w, w.transpose(w.unsqueeze(z, [2, 3]), [0, 2, 3, 1])), [0, 3, 1, 2])],
  ['Softmax, reshaped', 'softmax', 'p', (w, z) => w.reshape(softmax(w, z), w.ints([-1, 1, 3]))],
  ['Softmax, identities and dropout', 'softmax', 'p', (w, z) => w.op('Dropout', [w.op('Identity', [w.op('Identity', [softmax(w, z)])])])],
  ['Softmax, cast there and back', 'softmax', 'p', (w, z) => w.cast(w.cast(softmax(w, z), DataType.double), DataType.float)],
  ['Softmax, clipped', 'softmax', 'nearly p', (w, z) => range(w, softmax(w, z), 1e-7, 1 - 1e-7)],
  ['Softmax, quantised', 'softmax', 'nearly p', (w, z) => rounded(w, softmax(w, z))],
  ['e^z / sum', 'softmax', 'p', (w, z) => { const e = exp(w, z); return w.div(e, w.sum(e, [1], true)) }],
  ['e^(z - max) / sum', 'softmax', 'p', (w, z) => { const e = exp(w, shifted(w, z)); return w.div(e, w.sum(e, [-1], true)) }],
  ['e^z / (sum, unsqueezed)', 'softmax', 'p', (w, z) => { const e = exp(w, z); return w.div(e, w.unsqueeze(w.sum(e, [1], false), [1])) }],
  ['e^z / guarded sum', 'softmax', 'nearly p', (w, z) => { const e = exp(w, z); return w.div(e, w.add(w.sum(e, [1], true), w.float(1e-8))) }],
  ['e^z * (1 / sum)', 'softmax', 'p', (w, z) => { const e = exp(w, shifted(w, z)); return w.mul(w.op('Reciprocal', [w.sum(e, [1], true)]), e) }],
  ['e^z, normalised', 'softmax', 'p', (w, z) => w.op('LpNormalization', [exp(w, z)], { axis: 1, p: 1 })],
  ['z - logsumexp', 'softmax', 'log p', (w, z) => w.sub(z, w.op('ReduceLogSumExp', [z, w.ints([1])], { keepdims: 1 }))],
  ['z - max - log sum e^(z - max)', 'softmax', 'log p', (w, z) => { const s = shifted(w, z); return w.sub(s, w.op('Log', [w.sum(exp(w, s), [1], true)])) }],
  ['e^(z - logsumexp)', 'softmax', 'p', (w, z) => exp(w, w.sub(z, w.op('ReduceLogSumExp', [z, w.ints([1])], { keepdims: 1 })))],
  ['Sigmoid', 'sigmoid', 'p', sigmoid],
  ['Sigmoid, clipped and reshaped', 'sigmoid', 'nearly p', (w, z) => w.reshape(range(w, sigmoid(w, z), 1e-7, 1 - 1e-7), w.ints([-1, 3, 1, 1]))],
  ['Log of Sigmoid', 'sigmoid', 'log p', (w, z) => w.op('Log', [sigmoid(w, z)])],
  ['-softplus(-z)', 'sigmoid', 'log p', (w, z) => w.neg(w.op('Softplus', [w.neg(z)]))],
  ['1 / (1 + e^-z)', 'sigmoid', 'p', (w, z) => w.div(w.float(1), onePlus(w, exp(w, w.neg(z))))],
  ['reciprocal of 1 + e^(-1 z)', 'sigmoid', 'p', (w, z) => w.op('Reciprocal', [w.add(w.float(1), exp(w, w.mul(w.float(-1), z)))])],
  ['(1 + e^(0 - z))^-1', 'sigmoid', 'p', (w, z) => w.op('Pow', [onePlus(w, exp(w, w.sub(w.float(0), z))), w.float(-1)])],
  ['e^z / (1 + e^z)', 'sigmoid', 'p', (w, z) => { const e = exp(w, z); return w.div(e, onePlus(w, e)) }],
  ['(1 + tanh(z / 2)) / 2', 'sigmoid', 'p', (w, z) => w.mul(onePlus(w, w.op('Tanh', [w.div(z, w.float(2))])), w.float(0.5))],
  ['tanh(z / 2) / 2 + 1 / 2', 'sigmoid', 'p', (w, z) => w.add(w.div(w.op('Tanh', [w.mul(z, w.float(0.5))]), w.float(2)), w.float(0.5))],
] // prettier-ignore

const X = [0.3, -1.2, 2.1, 0.8, 0.1, -0.4]

/** Logits, gradient at the input, and what the whole file answers, of two rows. */
async function asked(model: ExplainableModel, classes: number, x: readonly number[]) {
  const rows = x.length / classes
  const of = float32(
    Float32Array.from({ length: rows * classes }, (_, at) => (at % classes === classes - 1 ? 1 : 0)),
    [rows, classes],
  )
  const { values, gradients } = await model.ask({
    feeds: { x: float32(Float32Array.from(x), [rows, classes]) },
    read: [model.logits, 'out'],
    gradient: { of: { [model.logits]: of }, wrt: ['x'] },
  })
  return { logits: values[model.logits], gradient: gradients['x'], out: Array.from(values['out']?.data ?? []), of }
}

describe.each([3, null])('with %s labels in the card', (labels) => {
  test.each(ROWS)('%s', async (_title, link, output, tail) => {
    const model = await loaded(['N', 3], tail, labels)
    expect([model.link, model.linkBasis]).toEqual([link, 'graph'])
    const { logits, gradient, out, of } = await asked(model, 3, X)
    expect(logits?.dims).toEqual([2, 3])
    expect(
      relativeDifference(
        logits?.data ?? [],
        X.map((x) => SLOPE * x),
      ),
    ).toBeLessThan(FLOAT32)
    expect(
      relativeDifference(
        gradient?.data ?? [],
        of.data.map((one) => SLOPE * one),
      ),
    ).toBeLessThan(FLOAT32)
    const p = [X.slice(0, 3), X.slice(3)].flatMap(
      (row) =>
        probabilitiesOf(
          row.map((x) => SLOPE * x),
          link,
        ) ?? [],
    )
    const answered = output === 'log p' ? out.map(Math.exp) : out
    expect(relativeDifference(answered, p)).toBeLessThan(output === 'nearly p' ? 1 / 255 : FLOAT32)
    await model.dispose()
  })
})

test('sigmoid(-z): the logits are -z', async () => {
  const model = await loaded(['N', 3], (w, z) => w.div(w.float(1), onePlus(w, exp(w, z))), 3)
  const { logits, out } = await asked(model, 3, X)
  expect(model.link).toBe('sigmoid')
  expect(
    relativeDifference(
      logits?.data ?? [],
      X.map((x) => -SLOPE * x),
    ),
  ).toBeLessThan(FLOAT32)
  expect(relativeDifference(out, probabilitiesOf(logits?.data ?? [], 'sigmoid') ?? [])).toBeLessThan(FLOAT32)
  await model.dispose()
})

describe('one score for two labels: -z and z', () => {
  const both = (w: NodeWriter, z: string, places: (p: string, rest: string) => readonly string[]): string => {
    const p = sigmoid(w, z)
    return w.op('Concat', places(p, w.sub(w.float(1), p)), { axis: 1 })
  }
  test.each<[string, Tail, readonly number[], string]>([
    ['a sigmoid', sigmoid, [-1, 1], 'graph'],
    ['a sigmoid of rank 1', (w, z) => w.squeeze(sigmoid(w, z), [1]), [-1, 1], 'graph'],
    ['a sigmoid in 4-D', (w, z) => sigmoid(w, w.unsqueeze(z, [2, 3])), [-1, 1], 'graph'],
    ['the bare score', (_w, z) => z, [-1, 1], 'assumed'],
    ['1 - p beside p', (w, z) => both(w, z, (p, rest) => [rest, p]), [-1, 1], 'graph'],
    ['p beside 1 - p', (w, z) => both(w, z, (p, rest) => [p, rest]), [1, -1], 'graph'],
  ])('%s', async (_title, tail, signs, basis) => {
    const model = await loaded(['N', 1], tail, 2)
    expect([model.link, model.linkBasis]).toEqual(['sigmoid', basis])
    const x = [0.7, -2]
    const feeds = { x: float32(Float32Array.from(x), [2, 1]) }
    const of = { [model.logits]: float32([1, 0, 0, 1], [2, 2]) }
    const { values, gradients } = await model.ask({ feeds, read: [model.logits], gradient: { of, wrt: ['x'] } })
    const expected = x.flatMap((one) => signs.map((sign) => sign * SLOPE * one))
    expect(relativeDifference(values[model.logits]?.data ?? [], expected)).toBeLessThan(FLOAT32)
    expect(Array.from(gradients['x']?.data ?? [])).toEqual(signs.map((sign) => sign * SLOPE))
    await model.dispose()
  })
})

describe('what is no link of these scores stays as it is', () => {
  test.each<[string, Tail]>([
    ['a product of probabilities', (w, z) => w.mul(softmax(w, z), z)],
    ['e^z over the sum of something else', (w, z) => w.div(exp(w, z), w.sum(z, [1], true))],
    ['e^z over the sum over the rows', (w, z) => { const e = exp(w, z); return w.div(e, w.sum(e, [0], true)) }],
    ['a softmax over the rows', (w, z) => w.op('Softmax', [z], { axis: 0 })],
    ['a Clip that cuts probabilities', (w, z) => range(w, sigmoid(w, z), 0.2, 0.8)],
    ['classes in another order', (w, z) => w.op('Gather', [softmax(w, z), w.ints([2, 1, 0])], { axis: 1 })],
    ['2 - e^z beside it', (w, z) => w.op('Reciprocal', [w.add(w.float(2), exp(w, w.neg(z)))])],
  ])('%s', async (_title, tail) => {
    const model = await loaded(['N', 3], tail, 3)
    expect([model.logits, model.link, model.linkBasis]).toEqual(['out', 'softmax', 'assumed'])
    await model.dispose()
  }) // prettier-ignore
})

test('a card that takes the output as it is', async () => {
  const write = new NodeWriter(numbered('t/'))
  write.op('Softmax', ['x'], { axis: -1 }, 'out')
  const inputs = [{ name: 'x', type: DataType.float, shape: ['N', 3] }]
  const file = join(folder, 'as-it-is.onnx')
  await writeFile(
    file,
    writeModel(graphOf({ nodes: write.nodes, inputs, outputs: ['out'], constants: write.constants })),
  )
  const model = await loadOnnxModel(file, { threads: 1, head: { labels: 3, link: 'none' } })
  expect([model.logits, model.link, model.linkBasis]).toEqual(['out', 'none', 'card'])
  await model.dispose()
})

test('a chain of identities that is longer than any stack', async () => {
  const long: Tail = (w, z) => {
    let at = softmax(w, z)
    for (let index = 0; index < 20_000; index += 1) at = w.op('Identity', [at])
    return at
  }
  const { findHead } = await import('../../../../../lib/engine/onnx/model/head.ts')
  const write = new NodeWriter(numbered('t/'))
  const out = long(write, 'z')
  const graph = graphOf({
    nodes: write.nodes,
    inputs: [],
    outputs: [out],
    constants: new Map([['unused', floatConstant([0], [1])]]),
  })
  const values = new Map(
    ['z', ...write.nodes.flatMap((one) => one.outputs)].map((name) => [
      name,
      { name, type: DataType.float, shape: ['N', 3] },
    ]),
  )
  expect(findHead({ ...graph, values })).toMatchObject({ logits: 'z', link: 'softmax' })
})
