/**
 * The gradient of a convolution with respect to its input, written as a convolution: the output's gradient, spread out
 * by the strides and padded, convolved with the kernel turned by 180 degrees. This is far faster on WASM (XNNPACK) than
 * its own scalar kernel, and for depthwise convolutions it has none.
 * Letters: N batch, H x W input extent, h x w output extent, C input channels, K output channels, M channel multiplier.
 */
import * as tf from '@tensorflow/tfjs'

export interface ConvolutionGeometry {
  /** [N, H, W, C] */
  readonly inputShape: readonly number[]
  readonly strides: readonly [number, number]
  readonly dilations: readonly [number, number]
  readonly padding: { readonly top: number; readonly left: number }
}

/** Puts stride - 1 zeros between rows and between columns: [N, h, w, K] -> [N, h * s, w * t, K]. */
function spread(dy: tf.Tensor4D, [s, t]: readonly [number, number]): tf.Tensor4D {
  const [n, h, w, k] = dy.shape
  const pad = (tensor: tf.Tensor2D, zeros: number): tf.Tensor2D =>
    zeros === 0 ? tensor : tf.pad2d(tensor, [[0, 0], [0, zeros]]) // prettier-ignore
  const columns = pad(tf.reshape(dy, [n * h * w, k]), (t - 1) * k)
  const rows = pad(tf.reshape(columns, [n * h, w * t * k]), (s - 1) * w * t * k)
  return tf.reshape(rows, [n, h * s, w * t, k])
}

/** Shifts and crops or pads with zeros: row i of the answer is row i - top of `tensor`. */
function place(
  tensor: tf.Tensor4D,
  [top, left]: readonly [number, number],
  height: number,
  width: number,
): tf.Tensor4D {
  const cut = (size: number, before: number, wanted: number): { skip: number; keep: number; pad: [number, number] } => {
    const skip = Math.max(0, -before)
    const lead = Math.max(0, before)
    const keep = Math.max(0, Math.min(size - skip, wanted - lead))
    return { skip, keep, pad: [lead, wanted - lead - keep] }
  }
  const rows = cut(tensor.shape[1], top, height)
  const columns = cut(tensor.shape[2], left, width)
  const sliced =
    rows.keep === tensor.shape[1] && columns.keep === tensor.shape[2]
      ? tensor
      : tf.slice4d(tensor, [0, rows.skip, columns.skip, 0], [-1, rows.keep, columns.keep, -1])
  if ([...rows.pad, ...columns.pad].every((zeros) => zeros === 0)) return sliced
  return tf.pad4d(sliced, [[0, 0], rows.pad, columns.pad, [0, 0]])
}

/** What a stride-1 'valid' convolution with the turned kernel needs to see, so that it answers with [N, H, W, .]. */
function prepared(dy: tf.Tensor4D, extent: readonly [number, number], geometry: ConvolutionGeometry): tf.Tensor4D {
  const [, height = 0, width = 0] = geometry.inputShape
  const reach = [(extent[0] - 1) * geometry.dilations[0], (extent[1] - 1) * geometry.dilations[1]] as const
  const { top, left } = geometry.padding
  return place(spread(dy, geometry.strides), [reach[0] - top, reach[1] - left], height + reach[0], width + reach[1])
}

/** A kernel turned by 180 degrees with its channels exchanged: [R, S, C, K] -> [R, S, K, C]. */
export function turnedKernel(kernel: tf.Tensor4D): tf.Tensor4D {
  return tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2])
}

/** A depthwise kernel turned by 180 degrees, one filter an output channel: [R, S, C, M] -> [R, S, C * M, 1]. */
export function turnedDepthwiseKernel(kernel: tf.Tensor4D): tf.Tensor4D {
  const [rows, columns, channels, multiplier] = kernel.shape
  return tf.reshape(tf.reverse(kernel, [0, 1]), [rows, columns, channels * multiplier, 1])
}

/**
 * d/dx of conv2d(x, kernel): [N, h, w, K] -> [N, H, W, C].
 * @param turned the kernel from {@link turnedKernel}, for callers that keep it.
 */
export function convolutionInputGradient(
  dy: tf.Tensor4D,
  kernel: tf.Tensor4D,
  geometry: ConvolutionGeometry,
  turned: tf.Tensor4D = turnedKernel(kernel),
): tf.Tensor4D {
  const [rows, columns] = kernel.shape
  // A 1 x 1 kernel commutes with the spreading: convolve the small tensor.
  if (rows === 1 && columns === 1) return prepared(tf.conv2d(dy, turned, 1, 'valid'), [1, 1], geometry)
  const dilations: [number, number] = [...geometry.dilations]
  return tf.conv2d(prepared(dy, [rows, columns], geometry), turned, 1, 'valid', 'NHWC', dilations)
}

/**
 * d/dx of depthwiseConv2d(x, kernel): [N, h, w, C * M] -> [N, H, W, C].
 * @param turned the kernel from {@link turnedDepthwiseKernel}, for callers that keep it.
 */
export function depthwiseInputGradient(
  dy: tf.Tensor4D,
  kernel: tf.Tensor4D,
  geometry: ConvolutionGeometry,
  turned: tf.Tensor4D = turnedDepthwiseKernel(kernel),
): tf.Tensor4D {
  const [rows, columns, channels, multiplier] = kernel.shape
  const dilations: [number, number] = [...geometry.dilations]
  const each = tf.depthwiseConv2d(prepared(dy, [rows, columns], geometry), turned, 1, 'valid', 'NHWC', dilations)
  if (multiplier === 1) return each
  const [n, height, width] = each.shape
  return tf.sum(tf.reshape(each, [n, height, width, channels, multiplier]), -1)
}
