/**
 * What a Keras layer computes, taken apart: a linear part and the activation behind it, so that logits can be read
 * before a softmax and a ReLU's backward rule can be bent. Layers without a case here run as TensorFlow.js wrote them.
 */
import * as tf from '@tensorflow/tfjs'
import { relu } from './activations.ts'
import {
  convolutionInputGradient,
  depthwiseInputGradient,
  turnedDepthwiseKernel,
  turnedKernel,
  type ConvolutionGeometry,
} from './convolution-gradient.ts'
import { resize, resizingWeights } from './resizing.ts'
import type { RectifierRule } from './rule-sets.ts'

export type Layer = tf.layers.Layer

interface RunContext {
  readonly rules: RectifierRule
  /** The mask of the first input, for layers behind a Masking or Embedding layer. */
  readonly mask: tf.Tensor | null
}
/** Pure; the caller tidies. */
export type Run = (inputs: readonly tf.Tensor[], context: RunContext) => tf.Tensor[]

/** What a step does to a map that is averaged later, where that is linear and the same at every place. */
export type LinearPart =
  | { readonly kind: 'identity' }
  | { readonly kind: 'reshape' }
  | { readonly kind: 'global-average' }
  /** z [N, 1] to [-z, z] */
  | { readonly kind: 'pair' }
  /** kernel [C, K], bias [K] */
  | { readonly kind: 'dense'; readonly kernel: tf.Tensor; readonly bias: tf.Tensor | null }
  /** y = x * scale + shift, [C] each */
  | { readonly kind: 'scale'; readonly scale: tf.Tensor; readonly shift: tf.Tensor }

export interface LayerParts {
  readonly run: Run
  /** Keras name of the activation behind the linear part; 'linear' for none. */
  readonly activation: string
  readonly linear: LinearPart | null
}

/** Tensors derived from weights, made at their first use and kept as long as the model. */
export class DerivedWeights {
  private readonly kept = new Map<string, tf.Tensor>()

  get<T extends tf.Tensor>(key: string, make: () => T): T {
    const found = this.kept.get(key)
    if (found !== undefined) return found as T
    const made = tf.keep(tf.tidy(make))
    this.kept.set(key, made)
    return made
  }

  dispose(): void {
    for (const tensor of this.kept.values()) tensor.dispose()
    this.kept.clear()
  }
}

/** The layer's weight of that name, or null. */
function weight(layer: Layer, name: string): tf.Tensor | null {
  const found = layer.weights.find(({ originalName }) => originalName === name || originalName.endsWith(`/${name}`))
  return found === undefined ? null : found.read()
}

function only(inputs: readonly tf.Tensor[]): tf.Tensor {
  const [first] = inputs
  if (first === undefined) throw new Error('a layer without an input')
  return first
}

function rankOf(layer: Layer): number | undefined {
  return layer.inboundNodes[0]?.inputTensors[0]?.shape.length
}

function isLastAxis(layer: Layer, axis: number): boolean {
  return axis === -1 || axis + 1 === rankOf(layer)
}

/** y = f(x) with the given gradient. */
function withGradient(x: tf.Tensor, f: (x: tf.Tensor) => tf.Tensor, gradient: (dy: tf.Tensor) => tf.Tensor): tf.Tensor {
  return tf.customGrad((input) => ({ value: f(input as tf.Tensor), gradFunc: gradient }))(x)
}

type Pair = [number, number]
interface ConvolutionConfig {
  readonly strides: Pair
  readonly padding: 'same' | 'valid'
  readonly dilations: Pair
}

function pair(value: unknown): Pair {
  if (!Array.isArray(value)) return [Number(value ?? 1), Number(value ?? 1)]
  const [first, second] = value as unknown[]
  return [Number(first ?? 1), Number(second ?? first ?? 1)]
}

function convolutionConfig(config: Readonly<Record<string, unknown>>): ConvolutionConfig | null {
  const padding = config['padding'] ?? 'valid'
  if (padding !== 'same' && padding !== 'valid') return null
  return { strides: pair(config['strides']), padding, dilations: pair(config['dilationRate']) }
}

function infoOf(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  { strides, dilations, padding }: ConvolutionConfig,
  depthwise: boolean,
): tf.backend_util.Conv2DInfo {
  return tf.backend_util.computeConv2DInfo(x.shape, kernel.shape, strides, dilations, padding, undefined, depthwise)
}

function geometryOf(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  config: ConvolutionConfig,
  depthwise: boolean,
): ConvolutionGeometry {
  const { padInfo } = infoOf(x, kernel, config, depthwise)
  return { inputShape: x.shape, strides: config.strides, dilations: config.dilations, padding: padInfo }
}

/** In numbers: told 'same', WASM pads wrongly where a stride is longer than the kernel. */
function explicitPadding(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  config: ConvolutionConfig,
  depthwise: boolean,
): 'valid' | tf.backend_util.ExplicitPadding {
  if (config.padding === 'valid') return 'valid'
  const { top, bottom, left, right } = infoOf(x, kernel, config, depthwise).padInfo
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ]
}

function addBias(y: tf.Tensor, bias: tf.Tensor | null): tf.Tensor {
  return bias === null ? y : tf.add(y, bias)
}

function convolution(layer: Layer, config: ConvolutionConfig, derived: DerivedWeights): LayerParts | null {
  const kernel = weight(layer, 'kernel') as tf.Tensor4D | null
  const bias = weight(layer, 'bias') as tf.Tensor1D | null
  if (kernel?.rank !== 4) return null
  const forward = (x: tf.Tensor): tf.Tensor =>
    tf.fused.conv2d({
      x: x as tf.Tensor4D,
      filter: kernel,
      strides: config.strides,
      pad: explicitPadding(x as tf.Tensor4D, kernel, config, false),
      dilations: config.dilations,
      ...(bias === null ? {} : { bias }),
    })
  const run: Run = (inputs) => {
    const x = only(inputs) as tf.Tensor4D
    const geometry = geometryOf(x, kernel, config, false)
    const turned = (): tf.Tensor4D => derived.get(`${layer.id}/turned`, () => turnedKernel(kernel))
    return [
      withGradient(x, forward, (dy) =>
        tf.tidy(() => convolutionInputGradient(dy as tf.Tensor4D, kernel, geometry, turned())),
      ),
    ]
  }
  const [rows, columns, channels, filters] = kernel.shape
  const pointwise = rows === 1 && columns === 1 && config.strides.every((stride) => stride === 1)
  const linear: LinearPart | null = pointwise
    ? { kind: 'dense', kernel: derived.get(`${layer.id}/matrix`, () => tf.reshape(kernel, [channels, filters])), bias }
    : null
  return { run, activation: 'linear', linear }
}

function depthwise(layer: Layer, config: ConvolutionConfig, derived: DerivedWeights): LayerParts | null {
  const kernel = weight(layer, 'depthwise_kernel') as tf.Tensor4D | null
  const bias = weight(layer, 'bias')
  if (kernel?.rank !== 4) return null
  const run: Run = (inputs) => {
    const x = only(inputs) as tf.Tensor4D
    const geometry = geometryOf(x, kernel, config, true)
    const turned = (): tf.Tensor4D => derived.get(`${layer.id}/turned`, () => turnedDepthwiseKernel(kernel))
    return [
      withGradient(
        x,
        (input) =>
          tf.tidy(() =>
            addBias(
              tf.depthwiseConv2d(
                input as tf.Tensor4D,
                kernel,
                config.strides,
                explicitPadding(input as tf.Tensor4D, kernel, config, true),
                'NHWC',
                config.dilations,
              ),
              bias,
            ),
          ),
        (dy) => tf.tidy(() => depthwiseInputGradient(dy as tf.Tensor4D, kernel, geometry, turned())),
      ),
    ]
  }
  return { run, activation: 'linear', linear: null }
}

function dense(layer: Layer): LayerParts | null {
  const kernel = weight(layer, 'kernel') as tf.Tensor2D | null
  const bias = weight(layer, 'bias')
  if (kernel?.rank !== 2) return null
  const [features, units] = kernel.shape
  const run: Run = (inputs) => {
    const x = only(inputs)
    const matrix = (tensor: tf.Tensor, columns: number): tf.Tensor2D => tf.reshape(tensor, [-1, columns])
    return [
      withGradient(
        x,
        (input) =>
          tf.tidy(() => {
            const product = addBias(tf.matMul(matrix(input, features), kernel), bias)
            return tf.reshape(product, [...input.shape.slice(0, -1), units])
          }),
        (dy) => tf.tidy(() => tf.reshape(tf.matMul(matrix(dy, units), kernel, false, true), x.shape)),
      ),
    ]
  }
  return { run, activation: 'linear', linear: { kind: 'dense', kernel, bias } }
}

function batchNormalization(
  layer: Layer,
  config: Readonly<Record<string, unknown>>,
  derived: DerivedWeights,
): LayerParts | null {
  const mean = weight(layer, 'moving_mean') as tf.Tensor1D | null
  const variance = weight(layer, 'moving_variance') as tf.Tensor1D | null
  const gamma = weight(layer, 'gamma') as tf.Tensor1D | null
  const beta = weight(layer, 'beta') as tf.Tensor1D | null
  const rank = rankOf(layer)
  const epsilon = Number(config['epsilon'])
  const axis = Number(config['axis'] ?? -1)
  if (mean === null || variance === null || rank === undefined) return null
  const scale = derived.get(`${layer.id}/scale`, () => {
    const deviation = tf.rsqrt(tf.add(variance, epsilon))
    return gamma === null ? deviation : tf.mul(deviation, gamma)
  })
  const shift = derived.get(`${layer.id}/shift`, () => {
    const moved = tf.neg(tf.mul(mean, scale))
    return beta === null ? moved : tf.add(moved, beta)
  })
  if (!isLastAxis(layer, axis)) {
    // TensorFlow.js' kernel runs through the statistics as if they lay along the last axis.
    const along = Array.from({ length: rank }, (_, index) => (index === axis ? mean.size : 1))
    const run: Run = (inputs) => [tf.add(tf.mul(only(inputs), tf.reshape(scale, along)), tf.reshape(shift, along))]
    return { run, activation: 'linear', linear: null }
  }
  const forward = (x: tf.Tensor): tf.Tensor =>
    rank >= 2 && rank <= 4
      ? tf.batchNorm(x, mean, variance, beta ?? undefined, gamma ?? undefined, epsilon)
      : tf.tidy(() => tf.add(tf.mul(x, scale), shift))
  const run: Run = (inputs) => [withGradient(only(inputs), forward, (dy) => tf.mul(dy, scale))]
  return { run, activation: 'linear', linear: { kind: 'scale', scale, shift } }
}

/** Layers that have an `activation` of their own and are run by TensorFlow.js: theirs is taken off, and run behind. */
const ACTIVATION_TAKEN_OFF = new Set([
  'Conv1D',
  'Conv2D',
  'Conv3D',
  'Conv2DTranspose',
  'Conv3DTranspose',
  'SeparableConv2D',
  'DepthwiseConv2D',
  'Dense',
  'EinsumDense',
])

interface Activated {
  activation: { getClassName(): string } | null
}

function asWritten(layer: Layer, linearActivation: unknown): LayerParts {
  let activation = 'linear'
  if (ACTIVATION_TAKEN_OFF.has(layer.getClassName())) {
    // The model is ours alone: nobody else sees its layers without their activations.
    const owner = layer as unknown as Activated
    if (owner.activation !== null) {
      activation = owner.activation.getClassName()
      owner.activation = linearActivation as Activated['activation']
    }
  }
  const run: Run = (inputs, { mask }) => {
    const kwargs: Record<string, unknown> = { training: false, ...(mask === null ? {} : { mask }) }
    const recurrent = 'cell' in layer && inputs.length > 1
    // A recurrent layer's further inputs are its initial states.
    if (recurrent) kwargs['initialState'] = inputs.slice(1)
    if (layer.stateful) layer.resetStates()
    const first = recurrent || inputs.length === 1 ? only(inputs) : [...inputs]
    const outputs = layer.call(first, kwargs)
    return Array.isArray(outputs) ? outputs : [outputs]
  }
  return { run, activation, linear: LINEAR[layer.getClassName()] ?? null }
}

const LINEAR: Readonly<Record<string, LinearPart>> = {
  Dropout: { kind: 'identity' },
  SpatialDropout1D: { kind: 'identity' },
  GaussianNoise: { kind: 'identity' },
  GaussianDropout: { kind: 'identity' },
  AlphaDropout: { kind: 'identity' },
  Flatten: { kind: 'reshape' },
  Reshape: { kind: 'reshape' },
  GlobalAveragePooling2D: { kind: 'global-average' },
}

const IDENTITY: Run = (inputs) => [...inputs]

/** The middle of a picture, as Keras cuts it; TensorFlow.js does it with an operator that has no gradient. */
function centerCrop(layer: Layer, config: Readonly<Record<string, unknown>>): LayerParts | null {
  const size = [Number(config['height']), Number(config['width'])]
  const [, ...extent] = layer.inboundNodes[0]?.inputTensors[0]?.shape ?? []
  // A picture that is smaller than the crop is enlarged: as TensorFlow.js wrote it.
  if (!size.every((dim, axis) => (extent[axis] ?? 0) >= dim)) return null
  const begin = size.map((dim, axis) => Math.floor(((extent[axis] ?? 0) - dim) / 2))
  const run: Run = (inputs) => [tf.slice(only(inputs), [0, ...begin, 0], [-1, ...size, -1])]
  return { run, activation: 'linear', linear: null }
}

/** @throws Error for what Keras does and this does not. */
function resizing(layer: Layer, config: Readonly<Record<string, unknown>>, derived: DerivedWeights): LayerParts {
  const [, height, width] = layer.inboundNodes[0]?.inputTensors[0]?.shape ?? []
  if (config['cropToAspectRatio'] === true || typeof height !== 'number' || typeof width !== 'number')
    throw new Error(`${layer.name} resizes pictures of any size, or crops them. Do that in the preprocessing instead.`)
  const to = [Number(config['height']), Number(config['width'])] as const
  const nearest = config['interpolation'] === 'nearest'
  const rows = derived.get(`${layer.id}/rows`, () => resizingWeights(height, to[0], nearest))
  const columns = derived.get(`${layer.id}/columns`, () => resizingWeights(width, to[1], nearest))
  const run: Run = (inputs) => [resize(only(inputs), rows, columns)]
  return { run, activation: 'linear', linear: null }
}

/** A pooling whose one window is the whole map. */
function coversMap(layer: Layer, config: Readonly<Record<string, unknown>>): boolean {
  const [, height, width] = layer.inboundNodes[0]?.inputTensors[0]?.shape ?? []
  const [rows, columns] = pair(config['poolSize'])
  return (
    config['dataFormat'] === 'channelsLast' && rows === height && columns === width && config['padding'] === 'valid'
  )
}

/** The parts of a layer. `linearActivation` is Keras' own linear activation object. */
export function layerParts(layer: Layer, derived: DerivedWeights, linearActivation: unknown): LayerParts {
  const config: Readonly<Record<string, unknown>> = layer.getConfig()
  const activation = typeof config['activation'] === 'string' ? config['activation'] : 'linear'
  const channelsLast = (config['dataFormat'] ?? 'channelsLast') === 'channelsLast'
  const convolutional = convolutionConfig(config)
  let parts: LayerParts | null = null
  switch (layer.getClassName()) {
    case 'Conv2D':
      if (channelsLast && convolutional !== null) parts = convolution(layer, convolutional, derived)
      break
    case 'DepthwiseConv2D':
      if (channelsLast && convolutional !== null) parts = depthwise(layer, convolutional, derived)
      break
    case 'Dense':
      parts = dense(layer)
      break
    case 'BatchNormalization':
      parts = batchNormalization(layer, config, derived)
      break
    case 'AveragePooling2D':
      if (coversMap(layer, config))
        parts = { ...asWritten(layer, linearActivation), linear: { kind: 'global-average' } }
      break
    case 'CenterCrop':
      parts = centerCrop(layer, config)
      break
    case 'Resizing':
      return resizing(layer, config, derived)
    case 'RandomWidth': // augments while training; TensorFlow.js goes on doing so at prediction
      return { run: IDENTITY, activation: 'linear', linear: { kind: 'identity' } }
    case 'Activation':
      return { run: IDENTITY, activation, linear: { kind: 'identity' } }
    case 'ReLU':
      return {
        run: IDENTITY,
        activation: `relu:${Number(config['maxValue'] ?? Infinity)}`,
        linear: { kind: 'identity' },
      }
    case 'Softmax':
      if (isLastAxis(layer, Number(config['axis'] ?? -1)))
        return { run: IDENTITY, activation: 'softmax', linear: { kind: 'identity' } }
      break
  }
  return parts === null ? asWritten(layer, linearActivation) : { ...parts, activation }
}

/** Runs a Keras activation by name; `relu:<cap>` is a ReLU with that maximum. */
export function activationRun(name: string, activationLayer: (name: string) => Layer): Run {
  if (name === 'linear') return IDENTITY
  const cap =
    name === 'relu' ? Infinity : name === 'relu6' ? 6 : name.startsWith('relu:') ? Number(name.slice(5)) : null
  if (cap !== null) return (inputs, { rules }) => [relu(only(inputs), cap, rules)]
  const layer = activationLayer(name)
  return (inputs) => [layer.call(only(inputs), {}) as tf.Tensor]
}
