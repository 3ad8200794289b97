/** Each kernel that is added to a backend or replaced, along a random direction and against the plain CPU backend. */
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { chooseBackend, RUNGS } from '../../../../lib/engine/tfjs/backend.ts'
import { largestDifference, randomTensor } from './keras-models.ts'

beforeAll(async () => {
  expect(await chooseBackend(RUNGS.filter(({ name }) => name === 'wasm'))).toMatchObject({ name: 'wasm' })
  await RUNGS.find(({ name }) => name === 'cpu')?.load()
})

function tensor(dims: readonly number[], seed: number, shift = 0): tf.Tensor {
  return tf.add(tf.tensor(randomTensor(dims, seed).data, [...dims]), shift)
}

interface Row {
  readonly name: string
  readonly kernel: string
  readonly inputs: readonly (() => tf.Tensor)[]
  readonly f: (...inputs: tf.Tensor[]) => tf.Tensor
  /** Which input to differentiate at. */
  readonly at: number
}

const x4 = [2, 7, 6, 3]
const CONVOLUTIONS = (['valid', 'same'] as const).flatMap((pad) => [
  // TensorFlow.js has no gradient of a dilated convolution; the engine has its own (layers.test.ts).
  { pad, strides: 1 },
  { pad, strides: 2 },
])

const ROWS: readonly Row[] = [
  ...CONVOLUTIONS.flatMap(({ pad, strides }): Row[] => {
    const label = `${pad}, stride ${strides}`
    const depthwise = {
      inputs: [() => tensor(x4, 1), () => tensor([3, 2, 3, 2], 2)],
      f: (x: tf.Tensor, k: tf.Tensor) => tf.depthwiseConv2d(x as tf.Tensor4D, k as tf.Tensor4D, strides, pad),
    }
    return [
      { ...depthwise, name: `depthwise, input: ${label}`, kernel: 'DepthwiseConv2dNativeBackpropInput', at: 0 },
      { ...depthwise, name: `depthwise, filter: ${label}`, kernel: 'DepthwiseConv2dNativeBackpropFilter', at: 1 },
      {
        name: `convolution, filter: ${label}`,
        kernel: 'Conv2DBackpropFilter',
        inputs: [() => tensor(x4, 1), () => tensor([3, 2, 3, 4], 2)],
        f: (x, k) => tf.conv2d(x as tf.Tensor4D, k as tf.Tensor4D, strides, pad),
        at: 1,
      },
    ]
  }),
  {
    name: 'gather',
    kernel: 'UnsortedSegmentSum',
    inputs: [() => tensor([5, 3], 1)],
    f: (x) => tf.gather(x, tf.tensor1d([4, 0, 4, 2, 4], 'int32')),
    at: 0,
  },
  {
    name: 'max-pooling of negative values',
    kernel: 'MaxPoolGrad',
    inputs: [() => tensor(x4, 1, -3)],
    f: (x) => tf.maxPool(x as tf.Tensor4D, 3, 2, 'same'),
    at: 0,
  },
  {
    name: '3-D max-pooling of negative values',
    kernel: 'MaxPool3DGrad',
    inputs: [() => tensor([1, 4, 5, 4, 2], 1, -3)],
    f: (x) => tf.maxPool3d(x as tf.Tensor5D, 2, 2, 'same'),
    at: 0,
  },
  {
    name: 'average-pooling at the border',
    kernel: 'AvgPoolGrad',
    inputs: [() => tensor(x4, 1)],
    f: (x) => tf.avgPool(x as tf.Tensor4D, 3, 2, 'same'),
    at: 0,
  },
  {
    name: '3-D average-pooling at the border',
    kernel: 'AvgPool3DGrad',
    inputs: [() => tensor([1, 4, 5, 4, 2], 1)],
    f: (x) => tf.avgPool3d(x as tf.Tensor5D, 3, 2, 'same'),
    at: 0,
  },
  {
    name: '3-D convolution',
    kernel: 'Conv3DBackpropInputV2',
    inputs: [() => tensor([1, 4, 5, 4, 2], 1), () => tensor([2, 3, 2, 2, 3], 2)],
    f: (x, k) => tf.conv3d(x as tf.Tensor5D, k as tf.Tensor5D, 2, 'same'),
    at: 0,
  },
]

/** d sum(weights * f) along a random direction: by the backend's gradient, and by central differences. */
function derivatives({ inputs, f, at }: Row): {
  analytic: number
  numeric: number
  values: Float32Array
  gradient: Float32Array
} {
  const scope = tf.engine()
  scope.startScope()
  const made = inputs.map((make) => make())
  const point = made[at]
  if (point === undefined) throw new Error('no such input')
  const direction = tensor(point.shape, 7)
  const apply = (value: tf.Tensor): tf.Tensor => f(...made.map((input, index) => (index === at ? value : input)))
  const values = apply(point)
  const weights = tensor(values.shape, 8)
  const scalar = (value: tf.Tensor): tf.Tensor => tf.sum(tf.mul(apply(value), weights))
  const gradient = tf.grad(scalar)(point)
  const step = 2e-3
  const moved = (by: number): number => scalar(tf.add(point, tf.mul(direction, by))).dataSync()[0] ?? NaN
  const answer = {
    analytic: tf.sum(tf.mul(gradient, direction)).dataSync()[0] ?? NaN,
    numeric: (moved(step) - moved(-step)) / (2 * step),
    values: Float32Array.from(values.dataSync()),
    gradient: Float32Array.from(gradient.dataSync()),
  }
  scope.endScope()
  return answer
}

describe.each(['wasm', 'cpu'])('on %s', (backend) => {
  it.each(ROWS)('$kernel: $name', async (row) => {
    await tf.setBackend(backend)
    expect(tf.getKernel(row.kernel, backend)).toBeDefined()
    const { analytic, numeric } = derivatives(row)
    expect(Math.abs(numeric)).toBeGreaterThan(0.01)
    expect(Math.abs(analytic - numeric) / Math.abs(numeric)).toBeLessThan(0.01)
  })
})

it.each(ROWS)('wasm equals cpu: $name', async (row) => {
  const found = []
  for (const backend of ['wasm', 'cpu']) {
    await tf.setBackend(backend)
    found.push(derivatives(row))
  }
  const [wasm, cpu] = found
  expect(largestDifference(wasm?.values ?? [], cpu?.values ?? [])).toBeLessThan(1e-5)
  expect(largestDifference(wasm?.gradient ?? [], cpu?.gradient ?? [])).toBeLessThan(1e-5)
})

it('sums segments by id, and drops negative ids', async () => {
  await tf.setBackend('wasm')
  const x = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2])
  const sums = tf.unsortedSegmentSum(x, tf.tensor1d([1, -1, 1, 0], 'int32'), 3)
  expect([...sums.dataSync()]).toEqual([7, 8, 6, 8, 0, 0])
})
