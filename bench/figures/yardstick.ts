/** What all measurements on CNNs share: the picture, the class, and how ONNX Runtime alone is set up. */
import type { InferenceSession } from 'onnxruntime-node'
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'
import { uniform } from '../random/uniform.ts'

const SIDE = 224
export const TARGET = 3

export function sessionOptions(threads: number): InferenceSession.SessionOptions {
  return { intraOpNumThreads: threads, graphOptimizationLevel: 'all' }
}

/** Noise in the range of a preprocessed picture: [1, 3, 224, 224]. */
export function noisePicture(): FloatTensor {
  const random = uniform(1)
  return float32(
    Float32Array.from({ length: 3 * SIDE * SIDE }, () => 2 * random() - 1),
    [1, 3, SIDE, SIDE],
  )
}
