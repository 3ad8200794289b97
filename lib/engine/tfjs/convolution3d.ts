/**
 * The gradient of a 3-D convolution with respect to its input, in plain loops: WASM's kernel (TensorFlow.js 4.22) is
 * wrong. Slow, and rare: no image classifier of the usual kind has one.
 */
import * as tf from '@tensorflow/tfjs'

/** dy [N, d, h, w, K], kernel [R, S, T, C, K] -> dx of the given shape [N, D, H, W, C]. */
export function convolution3dInputGradient(
  dy: tf.Tensor5D,
  kernel: tf.Tensor5D,
  shape: [number, number, number, number, number],
  strides: [number, number, number] | number,
  pad: 'valid' | 'same',
): tf.Tensor {
  const info = tf.backend_util.computeConv3DInfo(shape, kernel.shape, strides, 1, pad)
  const { inChannels, outChannels, outDepth, outHeight, outWidth, inDepth, inHeight, inWidth, padInfo } = info
  const [from, weights] = [dy.dataSync<'float32'>(), kernel.dataSync<'float32'>()]
  const dx = new Float32Array(shape.reduce((size, dim) => size * dim, 1))
  let position = 0
  for (let n = 0; n < info.batchSize; n++)
    for (let d = 0; d < outDepth; d++)
      for (let h = 0; h < outHeight; h++)
        for (let w = 0; w < outWidth; w++, position += outChannels) {
          let tapAt = -inChannels * outChannels
          for (let r = 0; r < info.filterDepth; r++)
            for (let s = 0; s < info.filterHeight; s++)
              for (let t = 0; t < info.filterWidth; t++) {
                tapAt += inChannels * outChannels
                const z = d * info.strideDepth + r - padInfo.front
                const y = h * info.strideHeight + s - padInfo.top
                const x = w * info.strideWidth + t - padInfo.left
                if (z < 0 || y < 0 || x < 0 || z >= inDepth || y >= inHeight || x >= inWidth) continue
                const into = (((n * inDepth + z) * inHeight + y) * inWidth + x) * inChannels
                for (let c = 0; c < inChannels; c++) {
                  let sum = 0
                  for (let k = 0; k < outChannels; k++)
                    sum += (from[position + k] ?? 0) * (weights[tapAt + c * outChannels + k] ?? 0)
                  dx[into + c] = (dx[into + c] ?? 0) + sum
                }
              }
        }
  return tf.tensor(dx, shape)
}
