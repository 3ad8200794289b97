/** Small Keras models for tests, with seeded weights, written to a folder as TensorFlow.js exports them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { afterAll } from 'vitest'
import { writeExport } from '../../../helpers/keras-export.ts'
import type { ExplainableModel } from '../../../../lib/engine/model.ts'
import { tfjsBackend } from '../../../../lib/engine/tfjs/backend.ts'
import { loadTfjsModel } from '../../../../lib/engine/tfjs/load.ts'
import { float32, sizeOf, type FloatTensor } from '../../../../lib/tensor/tensor.ts'

/** A repeatable sequence of numbers in [-1, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * 2 - 1
  }
}

export function randomTensor(dims: readonly number[], seed: number): FloatTensor {
  const next = seeded(seed)
  return float32(Float32Array.from({ length: sizeOf(dims) }, next), dims)
}

/** Gives every weight seeded values: variances positive, the rest scaled to keep activations near 1. */
export function seedWeights(model: tf.LayersModel, seed = 1): void {
  const next = seeded(seed)
  model.weights.forEach((variable) => {
    const { shape, originalName } = variable
    const dims = shape.map(Number)
    const fanIn = Math.max(1, sizeOf(dims.slice(0, -1)))
    const positive = /variance/.test(originalName)
    const centred = /gamma/.test(originalName)
    const values = Float32Array.from({ length: sizeOf(dims) }, () => {
      const value = next()
      if (positive) return 0.75 + 0.25 * value
      if (centred) return 1 + 0.3 * value
      return value * Math.sqrt(3 / fanIn)
    })
    const tensor = tf.tensor(values, dims)
    variable.write(tensor)
    tensor.dispose()
  })
}

const folders: string[] = []
const loaded: ExplainableModel[] = []
afterAll(async () => {
  await Promise.all(loaded.map((model) => model.dispose()))
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
})

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'limelight-tfjs-'))
  folders.push(folder)
  return folder
}

/** Writes an export of the model and answers the path of its model.json. */
export async function exportModel(
  model: tf.LayersModel,
  change: (json: Record<string, unknown>) => void = () => undefined,
): Promise<string> {
  const folder = await temporaryFolder()
  await writeExport(model, folder, change)
  return join(folder, 'model.json')
}

/** Builds, seeds, exports and loads: what the engine has, and the Keras model to compare it with. */
export async function explainable(
  build: () => tf.LayersModel,
  seed = 1,
): Promise<{ model: ExplainableModel; keras: tf.LayersModel; path: string }> {
  await tfjsBackend()
  const keras = build()
  seedWeights(keras, seed)
  const path = await exportModel(keras)
  const model = await loadTfjsModel(path)
  loaded.push(model)
  return { model, keras, path }
}

/** A CNN with the layers that MobileNets are made of, and a softmax at the end. 8 x 8 x 3 -> 4 classes. */
export function smallCnn(): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.conv2d({
        inputShape: [8, 8, 3],
        filters: 4,
        kernelSize: 3,
        padding: 'same',
        useBias: false,
        name: 'conv',
      }),
      tf.layers.batchNormalization({ name: 'bn' }),
      tf.layers.reLU({ maxValue: 6, name: 'relu6' }),
      tf.layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 'same', activation: 'relu', name: 'depthwise' }),
      tf.layers.conv2d({ filters: 6, kernelSize: 1, activation: 'relu', name: 'pointwise' }),
      tf.layers.globalAveragePooling2d({ name: 'pool' }),
      tf.layers.dropout({ rate: 0.5, name: 'dropout' }),
      tf.layers.dense({ units: 4, activation: 'softmax', name: 'classes' }),
    ],
  })
}

/** Values along the last axis, as one number: for comparing whole tensors. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity
  let largest = 0
  for (let index = 0; index < a.length; index++) {
    const difference = Math.abs((a[index] ?? NaN) - (b[index] ?? NaN))
    if (!(difference <= largest)) largest = difference
  }
  return largest
}
