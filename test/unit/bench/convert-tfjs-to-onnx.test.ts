/** A converted model gives the same logits, activations and gradients in both engines. */
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertLayersModel, convertTfjsToOnnx } from '../../../bench/convert-tfjs-to-onnx.ts'
import { loadOnnxModel } from '../../../lib/engine/onnx/model/load.ts'
import { tfjsBackend } from '../../../lib/engine/tfjs/backend.ts'
import { loadTfjsModel } from '../../../lib/engine/tfjs/load.ts'
import { float32, zeros, type FloatTensor } from '../../../lib/tensor/tensor.ts'
import { exportModel, largestDifference, randomTensor, seedWeights } from '../engine/tfjs/keras-models.ts'

const DARKNET = join(process.env['LIMELIGHT_DATA'] ?? '../shared/data', 'models/darknet-tiny-tfjs/model.json')
const present = await access(DARKNET).then(
  () => true,
  () => false,
)
if (!present)
  console.warn(`convert-tfjs-to-onnx.test.ts: darknet-tiny skipped, there is no ${DARKNET} (set LIMELIGHT_DATA)`)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limelight-convert-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The largest difference at each tap, as a share of the tap's largest value; gradients where they exist. */
async function compare(
  tfjsPath: string,
  onnx: Uint8Array,
  feed: FloatTensor,
  index: number,
  wanted: readonly string[],
): Promise<{ values: Record<string, number>; gradients: Record<string, number> }> {
  const file = join(folder, `${index}.onnx`)
  await writeFile(file, onnx)
  const answers = []
  for (const model of [await loadTfjsModel(tfjsPath), await loadOnnxModel(file, { threads: 1 })]) {
    const [name = ''] = model.inputs
    const classes = Number(model.taps.find(({ id }) => id === model.logits)?.shape[1])
    const weights = zeros([1, classes])
    weights.data[index] = 1
    answers.push(
      await model.ask({
        feeds: { [name]: feed },
        read: wanted,
        gradient: { of: { [model.logits]: weights }, wrt: wanted.filter((id) => id !== model.logits) },
      }),
    )
    await model.dispose()
  }
  const [a, b] = answers
  const share = (one: FloatTensor | undefined, other: FloatTensor | undefined): number => {
    expect(one?.dims).toEqual(other?.dims)
    const data = one?.data ?? new Float32Array([NaN])
    const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    expect(largest).toBeGreaterThan(0)
    return largestDifference(data, other?.data ?? []) / largest
  }
  const all = (kind: 'values' | 'gradients'): Record<string, number> =>
    Object.fromEntries(Object.keys(a?.[kind] ?? {}).map((id) => [id, share(a?.[kind][id], b?.[kind][id])]))
  return { values: all('values'), gradients: all('gradients') }
}

it('a small CNN of every layer that is converted', async () => {
  await tfjsBackend()
  const input = tf.input({ shape: [16, 16, 3], name: 'picture' })
  const then = (layer: tf.layers.Layer, from: tf.SymbolicTensor | tf.SymbolicTensor[]): tf.SymbolicTensor =>
    layer.apply(from) as tf.SymbolicTensor
  const conv = then(
    tf.layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu', name: 'conv' }),
    input,
  )
  const bn = then(tf.layers.batchNormalization({ name: 'bn' }), conv)
  const leaky = then(tf.layers.leakyReLU({ alpha: 0.1, name: 'leaky' }), bn)
  const depthwise = then(tf.layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', name: 'depthwise' }), leaky)
  const sum = then(tf.layers.add({ name: 'sum' }), [leaky, depthwise])
  const pooled = then(tf.layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same', name: 'pooled' }), sum)
  const averaged = then(
    tf.layers.averagePooling2d({ poolSize: 2, strides: 1, padding: 'same', name: 'averaged' }),
    pooled,
  )
  const last = then(tf.layers.reLU({ maxValue: 6, name: 'last' }), averaged)
  const gap = then(tf.layers.globalAveragePooling2d({ name: 'gap' }), last)
  const keras = tf.model({ inputs: input, outputs: then(tf.layers.dense({ units: 3, name: 'logits' }), gap) })
  seedWeights(keras)
  const taps = ['picture', 'conv', 'bn', 'leaky', 'depthwise', 'sum', 'pooled', 'averaged', 'last', 'gap', 'logits']
  const found = await compare(
    await exportModel(keras),
    convertLayersModel(keras, 'small'),
    randomTensor([1, 3, 16, 16], 3),
    1,
    taps,
  )
  for (const difference of [...Object.values(found.values), ...Object.values(found.gradients)])
    expect(difference).toBeLessThan(1e-5)
  expect(Object.keys(found.gradients)).toHaveLength(10)
}, 60_000)

describe.skipIf(!present)('darknet-tiny', () => {
  it('gives the same logits, activations and gradients in both engines', async () => {
    const wave = Float32Array.from({ length: 3 * 224 * 224 }, (_, index) => {
      const [x, y, c] = [index % 224, Math.floor(index / 224) % 224, Math.floor(index / (224 * 224))]
      return 0.5 + 0.4 * Math.sin((x + 2 * y) / (9 + 3 * c))
    })
    const taps = ['leaky_re_lu_6', 'max_pooling2d_4', 'leaky_re_lu_14', 'conv2d_16', 'global_average_pooling2d_1']
    const { values, gradients } = await compare(
      DARKNET,
      await convertTfjsToOnnx(DARKNET),
      float32(wave, [1, 3, 224, 224]),
      281,
      taps,
    )
    for (const difference of Object.values(values)) expect(difference).toBeLessThan(1e-4)
    for (const difference of Object.values(gradients)) expect(difference).toBeLessThan(1e-3)
  }, 120_000)
})
