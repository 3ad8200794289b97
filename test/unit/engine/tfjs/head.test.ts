/** Heads of Keras models: the scores before the link, both of them for one score and two labels, and plain CAM of them. */
import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import type { Link, StatedHead } from '../../../../lib/engine/head.ts'
import { tfjsBackend } from '../../../../lib/engine/tfjs/backend.ts'
import { loadTfjsModel } from '../../../../lib/engine/tfjs/load.ts'
import type { ExplainableModel } from '../../../../lib/engine/model.ts'
import { probabilitiesOf } from '../../../../lib/target/links.ts'
import { float32, type FloatTensor } from '../../../../lib/tensor/tensor.ts'
import { FLOAT32, relativeDifference } from '../../../helpers/tolerance.ts'
import { exportModel, randomTensor, seedWeights } from './keras-models.ts'

const PICTURE = randomTensor([1, 3, 6, 6], 5)
type Tail = (map: tf.SymbolicTensor) => tf.SymbolicTensor | tf.SymbolicTensor[]
const put = (layer: tf.layers.Layer, x: tf.SymbolicTensor): tf.SymbolicTensor => layer.apply(x) as tf.SymbolicTensor
const pooled: (x: tf.SymbolicTensor) => tf.SymbolicTensor = (x) => put(tf.layers.globalAveragePooling2d({}), x)
const dense = (
  x: tf.SymbolicTensor,
  units: number,
  activation?: 'softmax' | 'sigmoid',
  name = 'scores',
): tf.SymbolicTensor => put(tf.layers.dense({ units, name, ...(activation === undefined ? {} : { activation }) }), x)

interface Opened {
  readonly model: ExplainableModel
  /** Of the Keras model itself, by output. */
  readonly answers: readonly number[][]
}

async function opened(tail: Tail, head?: StatedHead): Promise<Opened> {
  await tfjsBackend()
  const input = tf.input({ shape: [6, 6, 3], name: 'picture' })
  const map = put(tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: 'tanh', name: 'map' }), input)
  const keras = tf.model({ inputs: input, outputs: tail(map) })
  seedWeights(keras, 3)
  const model = await loadTfjsModel(await exportModel(keras), head === undefined ? {} : { head })
  const x = tf.transpose(tf.tensor4d(PICTURE.data, [1, 3, 6, 6]), [0, 2, 3, 1])
  const found = keras.predict(x)
  const answers = (Array.isArray(found) ? found : [found]).map((one) => Array.from(one.dataSync()))
  keras.dispose()
  return { model, answers }
}

const at = (model: ExplainableModel): Promise<{ logits: FloatTensor | undefined }> =>
  model
    .ask({ feeds: { picture: PICTURE }, read: [model.logits] })
    .then(({ values }) => ({ logits: values[model.logits] }))

describe('the scores before the link', () => {
  test.each<[string, Link, Tail]>([
    ['softmax of a dense layer', 'softmax', (x) => dense(pooled(x), 3, 'softmax')],
    ['sigmoids of a dense layer', 'sigmoid', (x) => dense(pooled(x), 3, 'sigmoid')],
    ['an Activation layer, and one that does nothing', 'sigmoid', (x) =>
      put(tf.layers.activation({ activation: 'linear' }), put(tf.layers.activation({ activation: 'sigmoid' }), dense(pooled(x), 3)))],
    ['a Softmax layer, reshaped', 'softmax', (x) =>
      put(tf.layers.reshape({ targetShape: [1, 1, 3] }), put(tf.layers.softmax({}), dense(pooled(x), 3)))],
    ['turned unit axes', 'softmax', (x) =>
      put(tf.layers.permute({ dims: [2, 1] }), put(tf.layers.reshape({ targetShape: [1, 3] }), dense(pooled(x), 3, 'softmax')))],
  ])('%s', async (_title, link, tail) => {
    for (const head of [undefined, { labels: 3 }]) {
      const { model, answers } = await opened(tail, head)
      expect([model.link, model.linkBasis]).toEqual([link, 'graph'])
      const { logits } = await at(model)
      expect(logits?.dims).toEqual([1, 3])
      expect(logits?.data.some((one) => one < 0 || one > 1)).toBe(true)
      expect(relativeDifference(probabilitiesOf(logits?.data ?? [], link) ?? [], answers[0] ?? [])).toBeLessThan(FLOAT32)
      await model.dispose()
    }
  }) // prettier-ignore

  test('a card that takes the output as it is', async () => {
    const { model, answers } = await opened((x) => dense(pooled(x), 3, 'softmax'), { labels: 3, link: 'none' })
    expect([model.link, model.linkBasis]).toEqual(['none', 'card'])
    expect(relativeDifference((await at(model)).logits?.data ?? [], answers[0] ?? [])).toBeLessThan(FLOAT32)
    await model.dispose()
  })
})

test('one sigmoid for two labels: -z and z, their gradients, and the head of both', async () => {
  const { model, answers } = await opened((x) => dense(pooled(x), 1, 'sigmoid'), { labels: 2 })
  const of = (row: readonly number[]) => ({ of: { [model.logits]: float32(row, [1, 2]) }, wrt: ['map'] })
  const feeds = { picture: PICTURE }
  const first = await model.ask({ feeds, read: [model.logits, 'map'], gradient: of([1, 0]) })
  const second = await model.ask({ feeds, read: [], gradient: of([0, 1]) })
  const [p = NaN] = answers[0] ?? []
  const z = Math.log(p / (1 - p))
  expect(model.link).toBe('sigmoid')
  expect(relativeDifference(first.values[model.logits]?.data ?? [], [-z, z])).toBeLessThan(FLOAT32)
  const gradient = second.gradients['map']?.data ?? new Float32Array()
  expect(gradient.some((one) => one !== 0)).toBe(true)
  expect(Array.from(first.gradients['map']?.data ?? [])).toEqual(Array.from(gradient, (one) => -one))
  expect(model.taps.find(({ id }) => id === model.logits)).toMatchObject({ kind: 'output', shape: [null, 2] })

  const head = await model.linearHead('map')
  const map = first.values['map']?.data ?? []
  const means = [0, 1, 2, 3].map((c) => Array.from(map).slice(16 * c, 16 * c + 16).reduce((a, b) => a + b, 0) / 16)
  const linear = [0, 1].map((k) => means.reduce((sum, mean, c) => sum + mean * (head?.weights.data[4 * k + c] ?? NaN), head?.bias.data[k] ?? NaN))
  expect(relativeDifference(linear, [-z, z])).toBeLessThan(FLOAT32)
  await model.dispose()
}) // prettier-ignore

test('of two outputs, the one that fits the labels, or that the card names', async () => {
  const two: Tail = (x) => [dense(pooled(x), 5, undefined, 'features'), dense(pooled(x), 3, 'softmax', 'classes')]
  const { model, answers } = await opened(two, { labels: 3 })
  expect(relativeDifference(probabilitiesOf((await at(model)).logits?.data ?? [], 'softmax') ?? [], answers[1] ?? [])).toBeLessThan(FLOAT32)
  await model.dispose()
  const alike: Tail = (x) => [dense(pooled(x), 3, undefined, 'left'), dense(pooled(x), 3, undefined, 'right')]
  await expect(opened(alike, { labels: 3 })).rejects.toMatchObject({ code: 'BAD_MODEL', message: expect.stringMatching(/"left" \[N, 3\], "right" \[N, 3\]/) as string })
  const right = await opened(alike, { labels: 3, output: 'right' })
  expect(relativeDifference((await at(right.model)).logits?.data ?? [], right.answers[1] ?? [])).toBeLessThan(FLOAT32)
  await right.model.dispose()
  await expect(opened(alike, { labels: 4 })).rejects.toMatchObject({ code: 'BAD_MODEL', message: expect.stringMatching(/no output has as many/) as string })
}) // prettier-ignore

test('one window over the whole map is a linear head; a smaller one is none', async () => {
  const window = (size: number): Tail => (x) =>
    dense(put(tf.layers.flatten({}), put(tf.layers.averagePooling2d({ poolSize: size, strides: size }), x)), 3, 'softmax')
  const whole = await opened(window(4))
  const head = await whole.model.linearHead('map')
  const { values } = await whole.model.ask({ feeds: { picture: PICTURE }, read: [whole.model.logits, 'map'] })
  const map = Array.from(values['map']?.data ?? [])
  const means = [0, 1, 2, 3].map((c) => map.slice(16 * c, 16 * c + 16).reduce((a, b) => a + b, 0) / 16)
  const linear = [0, 1, 2].map((k) => means.reduce((sum, mean, c) => sum + mean * (head?.weights.data[4 * k + c] ?? NaN), head?.bias.data[k] ?? NaN))
  expect(relativeDifference(linear, values[whole.model.logits]?.data ?? [])).toBeLessThan(FLOAT32)
  await whole.model.dispose()
  const parts = await opened(window(2))
  expect(await parts.model.linearHead('map')).toBeNull()
  await parts.model.dispose()
}) // prettier-ignore
