/**
 * Pooling in plain loops, for what TensorFlow.js 4.22 gets wrong:
 * - WASM's max-pooling gradient, and its 3-D max-pooling, take the smallest *positive* float for the lowest number;
 * - the gradient of average-pooling divides by the whole window at the border too, where the forward pass does not.
 * Maps are [N, D, H, W, C]; a 2-D pooling has D = 1.
 */
import * as tf from '@tensorflow/tfjs'

/** One axis: input extent, output extent, window, stride, zeros before. */
interface Axis {
  readonly input: number
  readonly output: number
  readonly window: number
  readonly stride: number
  readonly before: number
}

export interface Pooling {
  readonly rows: number
  readonly channels: number
  readonly axes: readonly [Axis, Axis, Axis]
}

function start(axis: Axis, output: number): number {
  return output * axis.stride - axis.before
}

/** Visits every window with its position in the output and the indices of the inputs it covers, in scan order. */
function forEachWindow(
  { rows, channels, axes: [depth, height, width] }: Pooling,
  visit: (position: number, indices: Int32Array, count: number) => void,
): void {
  const indices = new Int32Array(depth.window * height.window * width.window)
  let position = 0
  for (let n = 0; n < rows; n++)
    for (let d = 0; d < depth.output; d++)
      for (let h = 0; h < height.output; h++)
        for (let w = 0; w < width.output; w++) {
          const [z, top, left] = [start(depth, d), start(height, h), start(width, w)]
          let count = 0
          for (let i = Math.max(0, z); i < Math.min(depth.input, z + depth.window); i++)
            for (let j = Math.max(0, top); j < Math.min(height.input, top + height.window); j++)
              for (let k = Math.max(0, left); k < Math.min(width.input, left + width.window); k++)
                indices[count++] = (((n * depth.input + i) * height.input + j) * width.input + k) * channels
          for (let c = 0; c < channels; c++) {
            visit(position++, indices, count)
            for (let index = 0; index < count; index++) indices[index] = (indices[index] ?? 0) + 1
          }
        }
}

/** Index of the first largest value of a window, as TensorFlow takes it; -1 for an empty one. */
function firstLargest(x: Float32Array, indices: Int32Array, count: number): number {
  let winner = -1
  let largest = -Infinity
  for (let index = 0; index < count; index++) {
    const at = indices[index] ?? 0
    const value = x[at] ?? NaN
    if (winner < 0 || value > largest) {
      winner = at
      largest = value
    }
  }
  return winner
}

function outputSize({ rows, channels, axes }: Pooling): number {
  return axes.reduce((size, axis) => size * axis.output, rows * channels)
}

/** The largest value of every window: [N, D, H, W, C] -> [N, d, h, w, C]. */
export function maxPool(x: Float32Array, pooling: Pooling): Float32Array {
  const y = new Float32Array(outputSize(pooling))
  forEachWindow(pooling, (position, indices, count) => {
    y[position] = x[firstLargest(x, indices, count)] ?? 0
  })
  return y
}

/** Gives each window's gradient to its first largest value: dy [N, d, h, w, C] -> dx [N, D, H, W, C]. */
export function maxPoolGradient(x: Float32Array, dy: Float32Array, pooling: Pooling): Float32Array {
  const dx = new Float32Array(x.length)
  forEachWindow(pooling, (position, indices, count) => {
    const winner = firstLargest(x, indices, count)
    if (winner >= 0) dx[winner] = (dx[winner] ?? 0) + (dy[position] ?? 0)
  })
  return dx
}

/** Shares each window's gradient among the values it averaged; the padding is none of them. */
export function averagePoolGradient(size: number, dy: Float32Array, pooling: Pooling): Float32Array {
  const dx = new Float32Array(size)
  forEachWindow(pooling, (position, indices, count) => {
    const share = (dy[position] ?? 0) / count
    for (let index = 0; index < count; index++) {
      const at = indices[index] ?? 0
      dx[at] = (dx[at] ?? 0) + share
    }
  })
  return dx
}

/** What the attributes of every pooling kernel say. */
export interface PoolingAttributes {
  readonly filterSize: [number, number, number] | [number, number] | number
  readonly strides: [number, number, number] | [number, number] | number
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil' | undefined
}

const SINGLE: Axis = { input: 1, output: 1, window: 1, stride: 1, before: 0 }

/** For x [N, H, W, C] or [N, D, H, W, C]. */
export function poolingOf(shape: readonly number[], attributes: PoolingAttributes): Pooling {
  const { filterSize, strides, pad, dimRoundingMode } = attributes
  if (shape.length === 4) {
    const info = tf.backend_util.computePool2DInfo(
      shape as [number, number, number, number],
      filterSize as [number, number],
      strides as [number, number],
      1,
      pad,
      dimRoundingMode,
    )
    return {
      rows: info.batchSize,
      channels: info.inChannels,
      axes: [
        SINGLE,
        axis(info.inHeight, info.outHeight, info.filterHeight, info.strideHeight, info.padInfo.top),
        axis(info.inWidth, info.outWidth, info.filterWidth, info.strideWidth, info.padInfo.left),
      ],
    }
  }
  const info = tf.backend_util.computePool3DInfo(
    shape as [number, number, number, number, number],
    filterSize as [number, number, number],
    strides as [number, number, number],
    1,
    pad as 'valid' | 'same' | number,
    dimRoundingMode,
  )
  return {
    rows: info.batchSize,
    channels: info.inChannels,
    axes: [
      axis(info.inDepth, info.outDepth, info.filterDepth, info.strideDepth, info.padInfo.front),
      axis(info.inHeight, info.outHeight, info.filterHeight, info.strideHeight, info.padInfo.top),
      axis(info.inWidth, info.outWidth, info.filterWidth, info.strideWidth, info.padInfo.left),
    ],
  }
}

function axis(input: number, output: number, window: number, stride: number, before: number): Axis {
  return { input, output, window, stride, before }
}
