/**
 * Every Keras layer that TensorFlow.js has and a classifier can contain: the engine's forward pass equals Keras' own on
 * the plain CPU backend, and its gradient equals finite differences.
 */
import * as tf from '@tensorflow/tfjs'
import { expect, it } from 'vitest'
import { directionalError } from './check-gradient.ts'
import { explainable, largestDifference, randomTensor } from './keras-models.ts'

type Layer = tf.layers.Layer
interface Row {
  readonly name: string
  /** Without the batch. */
  readonly shape: readonly number[]
  readonly layers: () => Layer[]
  /** Joins two dense branches. */
  readonly merge?: () => Layer
  /** Random values times this, plus that: away from kinks. */
  readonly scale?: number
  readonly shift?: number | undefined
  /** Values that are 0.05 apart at least, so that no window's largest changes on the way of a finite difference. */
  readonly apart?: boolean | undefined
}

const image = [7, 6, 4]
const sequence = [5, 4]
const layers = tf.layers

const ROWS: readonly Row[] = [
  { name: 'Dense', shape: [6], layers: () => [layers.dense({ units: 5 })] },
  { name: 'Dense without bias', shape: [6], layers: () => [layers.dense({ units: 5, useBias: false })] },
  { name: 'Dense on a sequence', shape: sequence, layers: () => [layers.dense({ units: 5, activation: 'tanh' })] },
  ...(
    [
      'elu',
      'selu',
      'relu',
      'relu6',
      'sigmoid',
      'hardSigmoid',
      'softplus',
      'softsign',
      'tanh',
      'softmax',
      'swish',
      'mish',
    ] as const
  ).map((activation) => ({
    name: `Activation ${activation}`,
    shape: [6],
    layers: () => [layers.activation({ activation })],
    scale: 3,
  })),
  ...(['gelu', 'logSoftmax'] as const).map((activation) => ({
    name: `Activation ${activation}`,
    shape: [6],
    layers: () => [layers.activation({ activation: activation as 'relu' })],
    scale: 2,
  })),
  { name: 'ReLU', shape: [6], layers: () => [layers.reLU({})], scale: 3 },
  { name: 'ReLU with a maximum', shape: [6], layers: () => [layers.reLU({ maxValue: 2 })], scale: 3 },
  { name: 'LeakyReLU', shape: [6], layers: () => [layers.leakyReLU({ alpha: 0.2 })], scale: 3 },
  { name: 'PReLU', shape: image, layers: () => [layers.prelu({ sharedAxes: [1, 2] })], scale: 3 },
  { name: 'ELU', shape: [6], layers: () => [layers.elu({})], scale: 3 },
  { name: 'ThresholdedReLU', shape: [6], layers: () => [layers.thresholdedReLU({ theta: 0.4 })], scale: 3 },
  { name: 'Softmax', shape: [6], layers: () => [layers.softmax({}), layers.dense({ units: 3 })], scale: 3 },
  {
    name: 'Conv1D',
    shape: [9, 4],
    layers: () => [layers.conv1d({ filters: 3, kernelSize: 3, strides: 2, activation: 'tanh' })],
  },
  ...(['valid', 'same'] as const).flatMap((padding) =>
    [1, 2, 3].flatMap((stride) =>
      [1, 2, 3].map((kernelSize) => ({
        name: `Conv2D ${kernelSize} stride ${stride} ${padding}`,
        shape: image,
        layers: () => [layers.conv2d({ filters: 3, kernelSize, strides: stride, padding })],
      })),
    ),
  ),
  {
    name: 'Conv2D rectangular',
    shape: image,
    layers: () => [layers.conv2d({ filters: 3, kernelSize: [3, 2], strides: [1, 2], padding: 'same' })],
  },
  {
    name: 'Conv2D dilated',
    shape: image,
    layers: () => [layers.conv2d({ filters: 3, kernelSize: 2, dilationRate: 2, padding: 'same' })],
  },
  ...(['relu', 'sigmoid'] as const).map((activation) => ({
    name: `Conv2D with ${activation}`,
    shape: image,
    layers: () => [layers.conv2d({ filters: 3, kernelSize: 3, activation })],
  })),
  ...(['valid', 'same'] as const).flatMap((padding) =>
    [1, 2].flatMap((depthMultiplier) =>
      [1, 2].map((strides) => ({
        name: `DepthwiseConv2D x${depthMultiplier} stride ${strides} ${padding}`,
        shape: image,
        layers: () => [layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier, strides, padding })],
      })),
    ),
  ),
  {
    name: 'SeparableConv2D',
    shape: image,
    layers: () => [
      layers.separableConv2d({ filters: 5, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh' }),
    ],
  },
  {
    name: 'Conv2DTranspose',
    shape: image,
    layers: () => [
      layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh' }),
    ],
  },
  {
    name: 'Conv3D',
    shape: [4, 4, 4, 2],
    layers: () => [layers.conv3d({ filters: 3, kernelSize: 2, activation: 'tanh' })],
  },
  { name: 'BatchNormalization', shape: image, layers: () => [layers.batchNormalization({})] },
  {
    name: 'BatchNormalization without scale',
    shape: image,
    layers: () => [layers.batchNormalization({ scale: false })],
  },
  { name: 'BatchNormalization of vectors', shape: [6], layers: () => [layers.batchNormalization({ center: false })] },
  { name: 'LayerNormalization', shape: sequence, layers: () => [layers.layerNormalization({})] },
  ...(['valid', 'same'] as const).flatMap((padding) =>
    [
      { poolSize: 2, strides: 2 },
      { poolSize: 3, strides: 2 },
      { poolSize: 3, strides: 1 },
      { poolSize: 1, strides: 2 },
    ].flatMap(({ poolSize, strides }) => [
      {
        name: `MaxPooling2D ${poolSize} stride ${strides} ${padding}`,
        shape: image,
        layers: () => [layers.maxPooling2d({ poolSize, strides, padding })],
        apart: true,
        shift: -6,
      },
      {
        name: `AveragePooling2D ${poolSize} stride ${strides} ${padding}`,
        shape: image,
        layers: () => [layers.averagePooling2d({ poolSize, strides, padding })],
      },
    ]),
  ),
  { name: 'MaxPooling1D', shape: [9, 4], layers: () => [layers.maxPooling1d({ poolSize: 2 })], apart: true, shift: -6 },
  { name: 'AveragePooling1D', shape: [9, 4], layers: () => [layers.averagePooling1d({ poolSize: 2 })] },
  {
    name: 'MaxPooling3D',
    shape: [4, 4, 4, 2],
    layers: () => [layers.maxPooling3d({ poolSize: [2, 2, 2] })],
    apart: true,
    shift: -6,
  },
  { name: 'AveragePooling3D', shape: [4, 4, 4, 2], layers: () => [layers.averagePooling3d({ poolSize: [2, 2, 2] })] },
  { name: 'GlobalAveragePooling1D', shape: sequence, layers: () => [layers.globalAveragePooling1d({})] },
  { name: 'GlobalMaxPooling1D', shape: sequence, layers: () => [layers.globalMaxPooling1d({})] },
  { name: 'GlobalAveragePooling2D', shape: image, layers: () => [layers.globalAveragePooling2d({})] },
  { name: 'GlobalMaxPooling2D', shape: image, layers: () => [layers.globalMaxPooling2d({})] },
  {
    name: 'ZeroPadding2D',
    shape: image,
    layers: () => [
      layers.zeroPadding2d({
        padding: [
          [1, 0],
          [0, 2],
        ],
      }),
    ],
  },
  {
    name: 'Cropping2D',
    shape: image,
    layers: () => [
      layers.cropping2D({
        cropping: [
          [1, 0],
          [0, 2],
        ],
      }),
    ],
  },
  { name: 'UpSampling2D nearest', shape: image, layers: () => [layers.upSampling2d({ size: [2, 2] })] },
  {
    name: 'UpSampling2D bilinear',
    shape: image,
    layers: () => [layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' })],
  },
  { name: 'Flatten', shape: image, layers: () => [layers.flatten()] },
  { name: 'Reshape', shape: image, layers: () => [layers.reshape({ targetShape: [7, 24] })] },
  { name: 'Permute', shape: image, layers: () => [layers.permute({ dims: [3, 1, 2] })] },
  { name: 'RepeatVector', shape: [6], layers: () => [layers.repeatVector({ n: 3 })] },
  { name: 'Dropout', shape: [6], layers: () => [layers.dropout({ rate: 0.5 })] },
  { name: 'SpatialDropout1D', shape: sequence, layers: () => [layers.spatialDropout1d({ rate: 0.5 })] },
  { name: 'GaussianNoise', shape: [6], layers: () => [layers.gaussianNoise({ stddev: 1 })] },
  { name: 'GaussianDropout', shape: [6], layers: () => [layers.gaussianDropout({ rate: 0.5 })] },
  { name: 'AlphaDropout', shape: [6], layers: () => [layers.alphaDropout({ rate: 0.5 })] },
  { name: 'Rescaling', shape: image, layers: () => [layers.rescaling({ scale: 0.5, offset: -1 })] },
  { name: 'SimpleRNN', shape: sequence, layers: () => [layers.simpleRNN({ units: 3 })] },
  { name: 'GRU', shape: sequence, layers: () => [layers.gru({ units: 3, returnSequences: true })] },
  { name: 'LSTM', shape: sequence, layers: () => [layers.lstm({ units: 3 })] },
  {
    name: 'Bidirectional',
    shape: sequence,
    layers: () => [layers.bidirectional({ layer: layers.lstm({ units: 3 }), mergeMode: 'concat' })],
  },
  {
    name: 'TimeDistributed',
    shape: sequence,
    layers: () => [layers.timeDistributed({ layer: layers.dense({ units: 3 }) })],
  },
  {
    name: 'RNN of stacked cells',
    shape: sequence,
    layers: () => [
      layers.rnn({
        returnSequences: true,
        cell: layers.stackedRNNCells({
          cells: [
            layers.lstmCell({ units: 3 }),
            layers.gruCell({ units: 4 }),
            layers.simpleRNNCell({ units: 2 }),
          ] as never,
        }),
      }),
    ],
    scale: 2,
  },
  {
    name: 'Conv3DTranspose',
    shape: [3, 3, 3, 2],
    layers: () => [layers.conv3dTranspose({ filters: 2, kernelSize: 2, strides: 2 })],
  },
  { name: 'CenterCrop', shape: image, layers: () => [layers.centerCrop({ height: 4, width: 3 })] },
  ...(
    [
      ['Add', () => layers.add()],
      ['Average', () => layers.average()],
      ['Maximum', () => layers.maximum()],
      ['Minimum', () => layers.minimum()],
      ['Multiply', () => layers.multiply()],
      ['Concatenate', () => layers.concatenate()],
      ['Dot', () => layers.dot({ axes: 1 })],
    ] as const
  ).map(([name, merge]) => ({ name, shape: [6], layers: () => [], merge })),
  { name: 'ConvLSTM2D', shape: [2, 5, 5, 2], layers: () => [layers.convLstm2d({ filters: 2, kernelSize: 3 })] },
  { name: 'Masking', shape: sequence, layers: () => [layers.masking({ maskValue: 0 }), layers.lstm({ units: 3 })] },
]

/** Class names of the layers that a row has met, those inside wrappers and cells among them. */
const met = new Set<string>()

function note(config: unknown): void {
  if (config === null || typeof config !== 'object') return
  if ('className' in config) met.add(String(config.className))
  for (const value of Object.values(config)) note(value)
}

it.each(ROWS)('$name', async ({ shape, layers: build, merge, scale = 1, shift = 0, apart = false }) => {
  const { model, keras } = await explainable(() => {
    const input = tf.input({ shape: [...shape], name: 'x' })
    const branches = () => [1, 2].map(() => layers.dense({ units: 4 }).apply(input) as tf.SymbolicTensor)
    const start = merge === undefined ? input : (merge().apply(branches()) as tf.SymbolicTensor)
    const body = build().reduce((tensor, layer) => layer.apply(tensor) as tf.SymbolicTensor, start)
    const flat = body.shape.length > 2 ? (layers.flatten().apply(body) as tf.SymbolicTensor) : body
    return tf.model({
      inputs: input,
      outputs: layers.dense({ units: 3, name: 'logits' }).apply(flat) as tf.SymbolicTensor,
    })
  })
  const [height = 0, width = 0, channels = 0] = shape
  const outside = shape.length === 3 ? [2, channels, height, width] : [2, ...shape]
  note(keras.getConfig())
  const random = randomTensor(outside, 4)
  const ranks = [...random.data.keys()].toSorted((a, b) => (random.data[a] ?? 0) - (random.data[b] ?? 0))
  const spaced = random.data.slice()
  if (apart) ranks.forEach((index, rank) => (spaced[index] = 0.05 * rank))
  const feed = { ...random, data: spaced.map((value) => scale * value + shift) }
  const { values } = await model.ask({ feeds: { x: feed }, read: ['logits'] })
  const backend = tf.getBackend()
  await tf.setBackend('cpu')
  const expected = tf.tidy(() => {
    const given = tf.tensor(feed.data, outside)
    return tf.keep(keras.predict(shape.length === 3 ? tf.transpose(given, [0, 2, 3, 1]) : given) as tf.Tensor)
  })
  const reference = expected.dataSync().slice()
  expected.dispose()
  keras.dispose()
  await tf.setBackend(backend)
  expect(largestDifference(values['logits']?.data ?? [], reference)).toBeLessThan(1e-5)
  expect(await directionalError(model, { x: feed }, 'x')).toBeLessThan(0.01)
})

/** Layers of TensorFlow.js without a row here, and why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  Embedding: 'text-models.test.ts',
  Sequential: 'model.test.ts',
  Model: 'model.test.ts',
  Functional: 'model.test.ts',
  CategoryEncoding: 'takes class numbers, not a picture or tokens',
  Resizing: 'below',
  RandomWidth: 'below',
  ConvLSTM2DCell: 'inside ConvLSTM2D',
}

it('every layer that TensorFlow.js has was met', () => {
  const registered = Object.entries(tf.serialization.SerializationMap.getMap().classNameMap)
    .filter(([, [constructor]]) => (constructor as unknown as { prototype: unknown }).prototype instanceof layers.Layer)
    .map(([name]) => name)
  expect(registered.length).toBeGreaterThan(60)
  expect(registered.filter((name) => !met.has(name) && !(name in ELSEWHERE))).toEqual([])
})

it('BatchNormalization over another axis than the last, which TensorFlow.js gets wrong on every backend', async () => {
  const { model, keras } = await explainable(() =>
    tf.sequential({
      layers: [
        layers.batchNormalization({ inputShape: image, axis: 1, name: 'bn' }),
        layers.flatten(),
        layers.dense({ units: 3, name: 'logits' }),
      ],
    }),
  )
  const [gamma, beta, mean, variance] = keras.getLayer('bn').getWeights()
  const feed = randomTensor([2, 4, 7, 6], 4)
  const { values } = await model.ask({ feeds: { bn_input: feed }, read: ['bn'] })
  const at = (tensor: tf.Tensor | undefined, row: number): number => tensor?.dataSync()[row] ?? NaN
  const expected = feed.data.map((value, index) => {
    const row = Math.floor(index / 6) % 7
    return ((value - at(mean, row)) * at(gamma, row)) / Math.sqrt(at(variance, row) + 1e-3) + at(beta, row)
  })
  expect(largestDifference(values['bn']?.data ?? [], expected)).toBeLessThan(1e-5)
  expect(await directionalError(model, { bn_input: feed }, 'bn_input')).toBeLessThan(0.01)
})

it('RandomWidth leaves a prediction alone, as Keras does', async () => {
  const { model } = await explainable(() =>
    tf.sequential({
      layers: [
        layers.randomWidth({ inputShape: image, factor: 0.5, name: 'random' }),
        layers.globalAveragePooling2d({}),
        layers.dense({ units: 3, name: 'logits' }),
      ],
    }),
  )
  const feed = randomTensor([2, 4, 7, 6], 4)
  const { values } = await model.ask({ feeds: { random_input: feed }, read: ['random'] })
  expect([...(values['random']?.data ?? [])]).toEqual([...feed.data])
})

// TensorFlow.js cannot run it itself, so the expected values are Keras': tf.image.resize, which samples at pixel centres.
it.each([
  ['bilinear', [1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4]],
  ['nearest', [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]],
] as const)('Resizing, %s, up', async (interpolation, expected) => {
  const { model } = await explainable(() =>
    tf.sequential({
      layers: [
        layers.resizing({ inputShape: [2, 2, 1], height: 4, width: 4, interpolation, name: 'resized' }),
        layers.conv2d({ filters: 2, kernelSize: 3, activation: 'tanh' }),
        layers.globalAveragePooling2d({}),
        layers.dense({ units: 3, name: 'logits' }),
      ],
    }),
  )
  const feed = { ...randomTensor([1, 1, 2, 2], 4), data: Float32Array.of(1, 2, 3, 4) }
  const { values } = await model.ask({ feeds: { resized_input: feed }, read: ['resized'] })
  expect([...(values['resized']?.data ?? [])]).toEqual(expected)
  expect(await directionalError(model, { resized_input: feed }, 'resized_input')).toBeLessThan(0.01)
})

it('Resizing down takes no average, and a crop to the aspect ratio is refused', async () => {
  const build = (cropToAspectRatio: boolean) => () =>
    tf.sequential({
      layers: [
        layers.resizing({ inputShape: [4, 4, 1], height: 1, width: 2, cropToAspectRatio, name: 'resized' }),
        layers.flatten(),
        layers.dense({ units: 3, name: 'logits' }),
      ],
    })
  const { model } = await explainable(build(false))
  const data = Float32Array.from({ length: 16 }, (_, index) => index)
  const { values } = await model.ask({
    feeds: { resized_input: { ...randomTensor([1, 1, 4, 4], 4), data } },
    read: ['resized'],
  })
  // Row 1.5, columns 0.5 and 2.5.
  expect([...(values['resized']?.data ?? [])]).toEqual([6.5, 8.5])
  await expect(explainable(build(true))).rejects.toMatchObject({
    code: 'BAD_MODEL',
    userMessage: expect.stringContaining('preprocessing') as string,
  })
})
