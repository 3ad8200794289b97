/** A random CNN opened twice: by Limelight, and by ONNX Runtime alone as the yardstick. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import type { ExplainableModel } from '../../lib/engine/model.ts'
import { loadOnnxModel } from '../../lib/engine/onnx/model/load.ts'
import type { ImageResult, Method } from '../../lib/methods/method.ts'
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'
import type { OpenedModel } from '../../lib/prepare.ts'
import type { BenchContext } from '../figure.ts'
import type { RandomNetwork } from '../random/architectures.ts'
import { opened, pictureContext } from './contexts.ts'
import { noisePicture, sessionOptions, TARGET } from './yardstick.ts'

export interface Opened {
  readonly network: RandomNetwork
  readonly path: string
  readonly model: ExplainableModel
  /** What methods of the product are given of it. */
  readonly product: OpenedModel
  readonly image: FloatTensor
  readonly classes: number
  /** ONNX Runtime itself, nothing of ours. */
  readonly forward: () => Promise<unknown>
  close(): Promise<void>
}

export async function open(network: RandomNetwork, context: BenchContext): Promise<Opened> {
  const path = join(context.folder, `${network.name}.onnx`)
  await writeFile(path, network.bytes)
  const image = noisePicture()
  const session = await InferenceSession.create(path, sessionOptions(context.threads))
  const feed = { image: new RuntimeTensor('float32', image.data, image.dims) }
  const first = await session.run(feed)
  const classes = first['logits']?.dims[1] ?? 0
  const model = await loadOnnxModel(path, { threads: context.threads })
  return {
    network,
    path,
    model,
    product: await opened(model, 'image', classes),
    image,
    classes,
    forward: () => session.run(feed),
    close: async () => {
      await model.dispose()
      await session.release()
    },
  }
}

/** The product's own method with its default parameters, from the preprocessed picture to the signed map. */
export function runMethod(
  method: Method,
  { product, image }: { readonly product: OpenedModel; readonly image: FloatTensor },
): Promise<ImageResult> {
  if (method.modality !== 'image') throw new TypeError(`${method.id} is no image method`)
  return method.run(pictureContext(product, method, image, TARGET), method.params.parse({}))
}

export function oneClass(classes: number, rows = 1): FloatTensor {
  const data = new Float32Array(rows * classes)
  for (let row = 0; row < rows; row++) data[row * classes + TARGET] = 1
  return float32(data, [rows, classes])
}
