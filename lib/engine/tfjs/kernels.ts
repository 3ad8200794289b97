/**
 * Kernels that a backend of TensorFlow.js lacks or gets wrong: gradients above all, which few people run on WASM.
 * Letters: N batch, H x W input extent, h x w output extent, C input channels, K output channels, M channel multiplier,
 * R x S kernel extent.
 */
import * as tf from '@tensorflow/tfjs'
import { depthwiseInputGradient, type ConvolutionGeometry } from './convolution-gradient.ts'
import { convolution3dInputGradient } from './convolution3d.ts'
import {
  averagePoolGradient,
  maxPool,
  maxPoolGradient,
  poolingOf,
  type Pooling,
  type PoolingAttributes,
} from './pooling.ts'

type Strides = [number, number] | number
type Padding = 'valid' | 'same' | number | tf.backend_util.ExplicitPadding

/** What every kernel function gets. */
interface KernelArguments {
  readonly inputs: tf.NamedTensorInfoMap
  readonly attrs?: unknown
}

function isTensor(info: tf.TensorInfo): info is tf.Tensor {
  return info instanceof tf.Tensor
}

/** An input as a tensor that operators take; they do not keep it. */
function input(inputs: tf.NamedTensorInfoMap, name: string): tf.Tensor {
  const info = inputs[name]
  if (info === undefined) throw new Error(`kernel input '${name}' is missing`)
  return isTensor(info) ? info : tf.engine().makeTensorFromTensorInfo(info)
}

function geometryOf(
  xShape: readonly number[],
  filterShape: readonly number[],
  attrs: {
    strides: Strides
    pad: Padding
    dilations?: Strides
    dimRoundingMode?: 'floor' | 'round' | 'ceil' | undefined
  },
  depthwise: boolean,
): ConvolutionGeometry {
  const info = tf.backend_util.computeConv2DInfo(
    xShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad,
    attrs.dimRoundingMode,
    depthwise,
  )
  return {
    inputShape: info.inShape,
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    padding: { top: info.padInfo.top, left: info.padInfo.left },
  }
}

/** The window of the padded input that kernel position (row, column) meets: [N, h, w, C]. */
function* windows(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  geometry: ConvolutionGeometry,
  extent: readonly [number, number],
): Generator<tf.Tensor4D> {
  const [, height, width] = x.shape
  const [, h, w] = dy.shape
  const { strides, dilations, padding } = geometry
  const reach = (index: 0 | 1, out: number): number =>
    (extent[index] - 1) * dilations[index] + (out - 1) * strides[index] + 1
  const padded = tf.pad(x, [
    [0, 0],
    [padding.top, Math.max(0, reach(0, h) - height - padding.top)],
    [padding.left, Math.max(0, reach(1, w) - width - padding.left)],
    [0, 0],
  ])
  for (let row = 0; row < extent[0]; row++)
    for (let column = 0; column < extent[1]; column++) {
      const top = row * dilations[0]
      const left = column * dilations[1]
      yield tf.stridedSlice(
        padded,
        [0, top, left, 0],
        [x.shape[0], top + (h - 1) * strides[0] + 1, left + (w - 1) * strides[1] + 1, x.shape[3]],
        [1, strides[0], strides[1], 1],
      ) as tf.Tensor4D
    }
}

function depthwiseBackpropInput({ inputs, attrs }: KernelArguments): tf.Tensor {
  const settings = attrs as tf.DepthwiseConv2dNativeBackpropInputAttrs
  const filter = input(inputs, 'filter') as tf.Tensor4D
  const geometry = geometryOf(settings.inputShape, filter.shape, settings, true)
  return tf.tidy(() => depthwiseInputGradient(input(inputs, 'dy') as tf.Tensor4D, filter, geometry))
}

function depthwiseBackpropFilter({ inputs, attrs }: KernelArguments): tf.Tensor {
  const settings = attrs as tf.DepthwiseConv2dNativeBackpropFilterAttrs
  return tf.tidy(() => {
    const x = input(inputs, 'x') as tf.Tensor4D
    const dy = input(inputs, 'dy') as tf.Tensor4D // [N, h, w, C * M]
    const [rows, columns, channels, multiplier] = settings.filterShape
    const geometry = geometryOf(x.shape, settings.filterShape, settings, true)
    const spread = tf.reshape(dy, [-1, channels, multiplier]) // [N * h * w, C, M]
    const sums = [...windows(x, dy, geometry, [rows, columns])].map((window) =>
      tf.sum(tf.mul(tf.reshape(window, [-1, channels, 1]), spread), 0),
    )
    return tf.reshape(tf.stack(sums), settings.filterShape)
  })
}

function convolutionBackpropFilter({ inputs, attrs }: KernelArguments): tf.Tensor {
  const settings = attrs as tf.Conv2DBackpropFilterAttrs
  if ((settings.dataFormat as string) === 'NCHW') throw new Error('Conv2DBackpropFilter: only NHWC is supported here')
  return tf.tidy(() => {
    const x = input(inputs, 'x') as tf.Tensor4D
    const dy = input(inputs, 'dy') as tf.Tensor4D // [N, h, w, K]
    const [rows, columns, channels, filters] = settings.filterShape
    const geometry = geometryOf(x.shape, settings.filterShape, settings, false)
    const flat = tf.reshape<tf.Rank.R2>(dy, [-1, filters])
    const products = [...windows(x, dy, geometry, [rows, columns])].map((window) =>
      tf.matMul(tf.reshape<tf.Rank.R2>(window, [-1, channels]), flat, true),
    )
    return tf.reshape(tf.stack(products), settings.filterShape)
  })
}

/** Sums the rows of x that share a segment; a negative segment id drops its row, as in TensorFlow. */
function unsortedSegmentSum({ inputs, attrs }: KernelArguments): tf.Tensor {
  const { numSegments } = attrs as tf.UnsortedSegmentSumAttrs
  return tf.tidy(() => {
    const x = input(inputs, 'x')
    const ids = tf.reshape(input(inputs, 'segmentIds'), [-1])
    const inner = x.shape.slice(1)
    // One segment more, for the rows to drop.
    const safe = tf.where(tf.less(ids, 0), tf.fill(ids.shape, numSegments, 'int32'), ids)
    const summed = tf.scatterND(tf.cast(tf.reshape(safe, [-1, 1]), 'int32'), x, [numSegments + 1, ...inner])
    return tf.slice(summed, [0, ...inner.map(() => 0)], [numSegments, ...inner])
  })
}

function pooling({ inputs, attrs }: KernelArguments): { x: tf.Tensor; pooling: Pooling; dy: () => Float32Array } {
  const x = input(inputs, 'input' in inputs ? 'input' : 'x')
  return { x, pooling: poolingOf(x.shape, attrs as PoolingAttributes), dy: () => floats(input(inputs, 'dy')) }
}

function floats(tensor: tf.Tensor): Float32Array {
  return tensor.dataSync<'float32'>()
}

function maxPoolBackprop(request: KernelArguments): tf.Tensor {
  const { x, pooling: windows, dy } = pooling(request)
  return tf.tensor(maxPoolGradient(floats(x), dy(), windows), x.shape)
}

function averagePoolBackprop(request: KernelArguments): tf.Tensor {
  const { x, pooling: windows, dy } = pooling(request)
  return tf.tensor(averagePoolGradient(x.size, dy(), windows), x.shape)
}

function maxPool3d(request: KernelArguments): tf.Tensor {
  const { x, pooling: windows } = pooling(request)
  const [depth, height, width] = windows.axes
  const shape = [windows.rows, depth.output, height.output, width.output, windows.channels]
  return tf.tensor(maxPool(floats(x), windows), shape)
}

function convolution3dBackpropInput({ inputs, attrs }: KernelArguments): tf.Tensor {
  const { inputShape, strides, pad } = attrs as tf.Conv3DBackpropInputV2Attrs
  const [dy, filter] = [input(inputs, 'dy') as tf.Tensor5D, input(inputs, 'filter') as tf.Tensor5D]
  return convolution3dInputGradient(dy, filter, inputShape, strides, pad)
}

interface Kernel {
  readonly name: string
  readonly kernel: (request: KernelArguments) => tf.Tensor
  /** True where the backend has a kernel of that name that is wrong. */
  readonly replaces?: true
}

/** Wrong on both backends that are written in TypeScript and WebAssembly. */
const AVERAGE_POOLING: readonly Kernel[] = [
  { name: 'AvgPoolGrad', kernel: averagePoolBackprop, replaces: true },
  { name: 'AvgPool3DGrad', kernel: averagePoolBackprop, replaces: true },
]

const KERNELS: Readonly<Record<string, readonly Kernel[]>> = {
  wasm: [
    { name: 'DepthwiseConv2dNativeBackpropInput', kernel: depthwiseBackpropInput },
    { name: 'DepthwiseConv2dNativeBackpropFilter', kernel: depthwiseBackpropFilter },
    { name: 'Conv2DBackpropFilter', kernel: convolutionBackpropFilter },
    { name: 'UnsortedSegmentSum', kernel: unsortedSegmentSum },
    { name: 'MaxPoolGrad', kernel: maxPoolBackprop, replaces: true },
    { name: 'MaxPool3D', kernel: maxPool3d, replaces: true },
    { name: 'MaxPool3DGrad', kernel: maxPoolBackprop, replaces: true },
    { name: 'Conv3DBackpropInputV2', kernel: convolution3dBackpropInput, replaces: true },
    ...AVERAGE_POOLING,
  ],
  cpu: AVERAGE_POOLING,
}

/** Adds a backend's missing kernels and replaces its wrong ones; those that TensorFlow.js adds later stay its own. */
export function registerKernels(backend: string): void {
  const present = new Set(tf.getKernelsForBackend(backend).map((config) => config.kernelName))
  for (const { name, kernel, replaces } of KERNELS[backend] ?? []) {
    if (present.has(name)) {
      if (replaces !== true) continue
      tf.unregisterKernel(name, backend)
    }
    tf.registerKernel({ kernelName: name, backendName: backend, kernelFunc: (request) => kernel(request) })
  }
}
