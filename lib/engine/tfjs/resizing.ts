/**
 * Keras' Resizing layer, which TensorFlow.js 4.22 has and cannot run. As Keras does: centres of pixels, no antialiasing.
 * Both interpolations are linear, so each axis is one matrix, and the gradient is its transpose: TensorFlow.js' own
 * gradient of a resize does not know half pixels.
 */
import * as tf from '@tensorflow/tfjs'

/** @returns [from, to]: column i holds what the input's pixels give to pixel i of the output. */
export function resizingWeights(from: number, to: number, nearest: boolean): tf.Tensor2D {
  const weights = new Float32Array(from * to)
  const add = (source: number, target: number, weight: number): void => {
    const at = Math.min(from - 1, Math.max(0, source)) * to + target
    weights[at] = (weights[at] ?? 0) + weight
  }
  for (let target = 0; target < to; target++) {
    const centre = ((target + 0.5) * from) / to
    if (nearest) {
      add(Math.floor(centre), target, 1)
      continue
    }
    const below = Math.floor(centre - 0.5)
    const share = centre - 0.5 - below
    add(below, target, 1 - share)
    add(below + 1, target, share)
  }
  return tf.tensor2d(weights, [from, to])
}

/** @param x [N, H, W, C], rows [H, height], columns [W, width]. @returns [N, height, width, C] */
export function resize(x: tf.Tensor, rows: tf.Tensor2D, columns: tf.Tensor2D): tf.Tensor {
  const [n = 0, h = 0, w = 0, c = 0] = x.shape
  const [, height] = rows.shape
  const [, width] = columns.shape
  const upright = tf.reshape(tf.transpose(x, [0, 3, 2, 1]), [-1, h]) // [N C W, H]
  const down = tf.reshape(tf.matMul(upright as tf.Tensor2D, rows), [n, c, w, height])
  const lying = tf.reshape(tf.transpose(down, [0, 1, 3, 2]), [-1, w]) // [N C height, W]
  const across = tf.reshape(tf.matMul(lying as tf.Tensor2D, columns), [n, c, height, width])
  return tf.transpose(across, [0, 2, 3, 1])
}
