/** Linear heads in every order and spelling: the logits must be W mean(map) + b of a random map, or there is no head. */
import { expect, test } from 'vitest'
import { floatConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { NodeWriter, numbered } from '../../../../../lib/engine/onnx/graph/node-writer.ts'
import { float32 } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'
import { FLOAT32, relativeDifference } from '../../../../helpers/tolerance.ts'

const [CHANNELS, HEIGHT, WIDTH, CLASSES] = [4, 3, 5, 2]
type Tail = (write: NodeWriter, map: string) => string

let seed = 1
const weights = (w: NodeWriter, ...dims: number[]): string => {
  seed += 1
  return w.constant(
    floatConstant(
      Float32Array.from(
        normals(
          dims.reduce((a, b) => a * b, 1),
          seed,
        ),
      ),
      dims,
    ),
  )
}
const positive = (w: NodeWriter, count: number): string =>
  w.constant(
    floatConstant(
      Array.from({ length: count }, (_, at) => 0.5 + at),
      [count],
    ),
  )

const pool: Tail = (w, x) => w.op('GlobalAveragePool', [x])
const flat: Tail = (w, x) => w.op('Flatten', [x])
const gemm: Tail = (w, x) => w.op('Gemm', [x, weights(w, CLASSES, CHANNELS), weights(w, CLASSES)], { transB: 1 })
const matMul: Tail = (w, x) => w.add(w.matMul(x, weights(w, CHANNELS, CLASSES)), weights(w, CLASSES))
const pointwise = (w: NodeWriter, x: string, outer: number, inner: number): string =>
  w.op('Conv', [x, weights(w, outer, inner, 1, 1), weights(w, outer)])
const norm = (w: NodeWriter, x: string, count: number): string =>
  w.op('BatchNormalization', [x, weights(w, count), weights(w, count), weights(w, count), positive(w, count)], {
    epsilon: { float: 1e-3 },
  })
const window = (w: NodeWriter, x: string, more: Readonly<Record<string, number | readonly number[]>> = {}): string =>
  w.op('AveragePool', [x], { kernel_shape: [HEIGHT, WIDTH], ...more })

async function loaded(tail: Tail) {
  const write = new NodeWriter(numbered('t/'))
  // A bend, so that nothing before it is linear.
  const end = tail(write, write.op('Tanh', ['x'], {}, 'map'))
  write.op('Identity', [end], {}, 'logits')
  return loadGraph(
    graphOf({
      nodes: write.nodes,
      inputs: [{ name: 'x', type: DataType.float, shape: ['N', CHANNELS, HEIGHT, WIDTH] }],
      outputs: ['logits'],
      constants: write.constants,
    }),
  )
}

test.each<[string, Tail]>([
  ['pooled, Gemm', (w, x) => gemm(w, flat(w, pool(w, x)))],
  ['pooled, MatMul and Add', (w, x) => matMul(w, flat(w, pool(w, x)))],
  ['Gemm with factors, not turned', (w, x) => w.op('Gemm', [flat(w, pool(w, x)), weights(w, CHANNELS, CLASSES), weights(w, 1, CLASSES)], { alpha: { float: 0.5 }, beta: { float: 2 } })],
  ['one window over the map', (w, x) => gemm(w, flat(w, window(w, x)))],
  ['one window over the map, with strides', (w, x) => gemm(w, flat(w, window(w, x, { strides: [HEIGHT, WIDTH], count_include_pad: 1 })))],
  ['means over two axes', (w, x) => gemm(w, w.op('ReduceMean', [x, w.ints([-1, -2])], { keepdims: 0 }))],
  ['a mean over places in one axis', (w, x) => gemm(w, w.op('ReduceMean', [w.reshape(x, w.ints([0, CHANNELS, -1])), w.ints([-1])], { keepdims: 0 }))],
  ['a sum, divided', (w, x) => gemm(w, flat(w, w.div(w.sum(x, [2, 3], true), w.float(HEIGHT * WIDTH))))],
  ['channels last', (w, x) => matMul(w, w.op('ReduceMean', [w.transpose(x, [0, 2, 3, 1]), w.ints([1, 2])], { keepdims: 0 }))],
  ['channels last, classes before the mean', (w, x) => w.op('ReduceMean', [matMul(w, w.transpose(x, [0, 2, 3, 1])), w.ints([1, 2])], { keepdims: 0 })],
  ['a convolution, then pooled', (w, x) => flat(w, pool(w, pointwise(w, x, CLASSES, CHANNELS)))],
  ['pooled, then a convolution', (w, x) => flat(w, pointwise(w, pool(w, x), CLASSES, CHANNELS))],
  ['pooled, then a convolution, reshaped', (w, x) => w.reshape(pointwise(w, pool(w, x), CLASSES, CHANNELS), w.ints([-1, CLASSES]))],
  ['two convolutions and a norm between', (w, x) => flat(w, window(w, pointwise(w, norm(w, pointwise(w, x, 3, CHANNELS), 3), CLASSES, 3)))],
  ['a norm of pooled features', (w, x) => gemm(w, norm(w, flat(w, pool(w, x)), CHANNELS))],
  ['dropout and identities', (w, x) => gemm(w, w.op('Dropout', [flat(w, pool(w, w.op('Identity', [x])))]))],
  ['scores scaled and shifted', (w, x) => w.sub(w.float(3), w.div(w.mul(gemm(w, flat(w, pool(w, x))), weights(w, CLASSES)), w.float(0.7)))],
  ['the pooled map itself', (w, x) => flat(w, pool(w, x))],
])('%s', async (_title, tail) => {
  const model = await loaded(tail)
  const head = await model.linearHead('map')
  const map = float32(normals(2 * CHANNELS * HEIGHT * WIDTH, 7), [2, CHANNELS, HEIGHT, WIDTH])
  const { values } = await model.ask({ from: { map }, read: ['logits'] })
  const [classes = 0, channels = 0] = head?.weights.dims ?? []
  const area = HEIGHT * WIDTH
  const expected = [0, 1].flatMap((row) =>
    Array.from({ length: classes }, (_, k) => {
      let total = head?.bias.data[k] ?? NaN
      for (let at = 0; at < channels * area; at++)
        total += ((head?.weights.data[k * channels + Math.floor(at / area)] ?? NaN) * (map.data[row * channels * area + at] ?? NaN)) / area
      return total
    }),
  )
  expect(channels).toBe(CHANNELS)
  expect(relativeDifference(values['logits']?.data ?? [], expected)).toBeLessThan(FLOAT32)
  await model.dispose()
}) // prettier-ignore

test.each<[string, Tail]>([
  ['a bend behind the pooling', (w, x) => gemm(w, w.op('Relu', [flat(w, pool(w, x))]))],
  ['a bend before it', (w, x) => gemm(w, flat(w, pool(w, w.op('Relu', [x]))))],
  ['a maximum', (w, x) => gemm(w, flat(w, w.op('GlobalMaxPool', [x])))],
  ['a window with a border', (w, x) => gemm(w, flat(w, w.op('AveragePool', [x], { kernel_shape: [HEIGHT, WIDTH], pads: [1, 1, 1, 1], strides: [9, 9] })))],
  ['a mean over rows only', (w, x) => w.op('Gemm', [flat(w, w.mean(x, [2])), weights(w, CLASSES, CHANNELS * WIDTH)], { transB: 1 })],
  ['places among the features', (w, x) => w.op('Gemm', [flat(w, x), weights(w, CLASSES, CHANNELS * HEIGHT * WIDTH)], { transB: 1 })],
  ['a factor for each place', (w, x) => gemm(w, flat(w, pool(w, w.mul(x, weights(w, 1, 1, HEIGHT, WIDTH)))))],
  ['a kernel of several taps', (w, x) => flat(w, pool(w, w.op('Conv', [x, weights(w, CLASSES, CHANNELS, 3, 3)], { pads: [1, 1, 1, 1] })))],
  ['grouped channels', (w, x) => flat(w, pool(w, w.op('Conv', [x, weights(w, CLASSES, CHANNELS / 2, 1, 1)], { group: 2 })))],
  ['a second way round', (w, x) => { const p = flat(w, pool(w, x)); return w.add(gemm(w, p), gemm(w, w.op('Tanh', [p]))) }],
  ['no pooling', (w, x) => pointwise(w, x, CLASSES, CHANNELS)],
])('no head: %s', async (_title, tail) => {
  const model = await loaded(tail)
  expect(await model.linearHead('map')).toBeNull()
  await model.dispose()
}) // prettier-ignore
