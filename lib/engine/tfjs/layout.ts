/** Tensors across the contract's boundary: maps are [N, C, H, W] outside and [N, H, W, C] inside. */
import * as tf from '@tensorflow/tfjs'
import { float32, type FloatTensor, type Tensor } from '../../tensor/tensor.ts'

type Shape = readonly (number | null)[]

/** [N, H, W, C] -> [N, C, H, W]; other ranks stay. */
export function outerShape(shape: Shape, channelsLast: boolean): Shape {
  if (shape.length !== 4 || !channelsLast) return [...shape]
  const [n = null, h = null, w = null, c = null] = shape
  return [n, c, h, w]
}

/** The caller disposes. */
export function toInside(tensor: Tensor, dtype: tf.DataType, channelsLast: boolean): tf.Tensor {
  return tf.tidy(() => {
    const integers = dtype === 'int32' || dtype === 'bool'
    const plain = tensor.data instanceof BigInt64Array ? Array.from(tensor.data, Number) : tensor.data
    const made = integers
      ? tf.tensor(Int32Array.from(plain), [...tensor.dims], 'int32')
      : tf.tensor(Float32Array.from(plain), [...tensor.dims], 'float32')
    return made.rank === 4 && channelsLast ? tf.transpose(made, [0, 2, 3, 1]) : made
  })
}

/** A copy. */
export function toOutside(tensor: tf.Tensor, channelsLast: boolean): FloatTensor {
  const outer = tensor.rank === 4 && channelsLast ? tf.transpose(tensor, [0, 3, 1, 2]) : tensor
  const copy = float32(Float32Array.from(outer.dataSync()), outer.shape)
  if (outer !== tensor) outer.dispose()
  return copy
}
