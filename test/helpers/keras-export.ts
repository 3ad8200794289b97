/** Keras models made in a test, written to a folder as TensorFlow.js and Teachable Machine export them. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'

/** Writes model.json and weights.bin. @param change gets the JSON before it is written */
export async function writeExport(
  model: tf.LayersModel,
  folder: string,
  change: (json: Record<string, unknown>) => void = () => undefined,
): Promise<void> {
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      const { modelTopology, weightSpecs, weightData } = artifacts
      const json = { modelTopology, weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }] }
      const plain = JSON.parse(JSON.stringify(json)) as Record<string, unknown>
      change(plain)
      await writeFile(join(folder, 'model.json'), JSON.stringify(plain))
      const buffer = Array.isArray(weightData) ? weightData[0] : weightData
      await writeFile(join(folder, 'weights.bin'), new Uint8Array(buffer ?? new ArrayBuffer(0)))
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const } }
    }),
  )
}

/** As Teachable Machine builds them: a Sequential of a truncated network and a pooling, then a Sequential of dense layers. */
function likeTeachableMachine(seed: number): tf.LayersModel {
  const kernelInitializer = tf.initializers.heNormal({ seed })
  const input = tf.input({ shape: [32, 32, 3], name: 'input' })
  const map = tf.layers
    .conv2d({ filters: 8, kernelSize: 5, strides: 4, activation: 'relu', kernelInitializer, name: 'out_relu' })
    .apply(input)
  const trunk = tf.model({ inputs: input, outputs: map as tf.SymbolicTensor, name: 'model1' })
  const dense = { kernelInitializer, useBias: false } as const
  return tf.sequential({
    layers: [
      tf.sequential({
        name: 'sequential_1',
        layers: [trunk, tf.layers.globalAveragePooling2d({ name: 'pooled' })],
      }),
      tf.sequential({
        name: 'sequential_3',
        layers: [
          tf.layers.dense({ ...dense, inputShape: [8], units: 6, activation: 'relu', name: 'dense_Dense1' }),
          tf.layers.dense({ ...dense, units: 2, activation: 'softmax', name: 'dense_Dense2' }),
        ],
      }),
    ],
  })
}

/** A small Teachable Machine export that tells Cat from Not cat, badly; its map is 7 x 7. */
export async function writeTeachableMachine(folder: string, seed: number): Promise<void> {
  tf.enableProdMode() // no advertisement on the console
  await tf.setBackend('cpu')
  await mkdir(folder, { recursive: true })
  const keras = likeTeachableMachine(seed)
  await writeExport(keras, folder)
  keras.dispose()
  const metadata = { tmVersion: '2.4.14', packageName: '@teachablemachine/image', modelName: 'tm-my-image-model' }
  await writeFile(
    join(folder, 'metadata.json'),
    JSON.stringify({ ...metadata, labels: ['Cat', 'Not cat'], imageSize: 32, userMetadata: {} }),
  )
}
