/**
 * The gradient of max-pooling for the WASM backend. Its own kernel (4.22) takes the smallest *positive* float for the
 * lowest number, so windows without a positive value get no gradient.
 */
import * as tf from '@tensorflow/tfjs'

/** One axis of the pooling: input extent, output extent, window, stride, zeros before. */
interface Axis {
  readonly input: number
  readonly output: number
  readonly window: number
  readonly stride: number
  readonly before: number
}

/**
 * Gives each window's gradient to its first largest value, as TensorFlow does: x [N, D, H, W, C], dy [N, d, h, w, C].
 * @returns dx in x's layout.
 */
export function maxPoolInputGradient(
  x: Float32Array,
  dy: Float32Array,
  rows: number,
  channels: number,
  axes: readonly [Axis, Axis, Axis],
): Float32Array {
  const [depth, height, width] = axes
  const dx = new Float32Array(x.length)
  let position = 0
  for (let n = 0; n < rows; n++)
    for (let d = 0; d < depth.output; d++)
      for (let h = 0; h < height.output; h++)
        for (let w = 0; w < width.output; w++)
          for (let c = 0; c < channels; c++, position++) {
            let largest = -Infinity
            let winner = -1
            const [z, top, left] = [start(depth, d), start(height, h), start(width, w)]
            for (let i = Math.max(0, z); i < Math.min(depth.input, z + depth.window); i++)
              for (let j = Math.max(0, top); j < Math.min(height.input, top + height.window); j++)
                for (let k = Math.max(0, left); k < Math.min(width.input, left + width.window); k++) {
                  const index = (((n * depth.input + i) * height.input + j) * width.input + k) * channels + c
                  const value = x[index] ?? NaN
                  if (value > largest || winner < 0) {
                    largest = value
                    winner = index
                  }
                }
            if (winner >= 0) dx[winner] = (dx[winner] ?? 0) + (dy[position] ?? 0)
          }
  return dx
}

function start(axis: Axis, output: number): number {
  return output * axis.stride - axis.before
}

const SINGLE: Axis = { input: 1, output: 1, window: 1, stride: 1, before: 0 }

/** For 2-D pooling: x [N, H, W, C]. */
export function maxPool2dGradient(x: tf.Tensor4D, dy: tf.Tensor4D, attrs: tf.MaxPoolGradAttrs): tf.Tensor {
  const info = tf.backend_util.computePool2DInfo(
    x.shape,
    attrs.filterSize,
    attrs.strides,
    1,
    attrs.pad,
    attrs.dimRoundingMode,
  )
  const { inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info
  const dx = maxPoolInputGradient(values(x), values(dy), info.batchSize, info.inChannels, [
    SINGLE,
    { input: inHeight, output: outHeight, window: filterHeight, stride: strideHeight, before: padInfo.top },
    { input: inWidth, output: outWidth, window: filterWidth, stride: strideWidth, before: padInfo.left },
  ])
  return tf.tensor(dx, x.shape)
}

/** For 3-D pooling: x [N, D, H, W, C]. */
export function maxPool3dGradient(x: tf.Tensor5D, dy: tf.Tensor5D, attrs: tf.MaxPool3DGradAttrs): tf.Tensor {
  const { filterSize, strides, pad, dimRoundingMode } = attrs
  const info = tf.backend_util.computePool3DInfo(x.shape, filterSize, strides, 1, pad, dimRoundingMode)
  const { inDepth, outDepth, inHeight, outHeight, inWidth, outWidth, padInfo } = info
  const dx = maxPoolInputGradient(values(x), values(dy), info.batchSize, info.inChannels, [
    { input: inDepth, output: outDepth, window: info.filterDepth, stride: info.strideDepth, before: padInfo.front },
    { input: inHeight, output: outHeight, window: info.filterHeight, stride: info.strideHeight, before: padInfo.top },
    { input: inWidth, output: outWidth, window: info.filterWidth, stride: info.strideWidth, before: padInfo.left },
  ])
  return tf.tensor(dx, x.shape)
}

function values(tensor: tf.Tensor): Float32Array {
  return tensor.dataSync<'float32'>()
}
