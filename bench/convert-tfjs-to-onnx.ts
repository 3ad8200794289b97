/**
 * Converts a TensorFlow.js LayersModel (a CNN of plain Keras layers) to ONNX, so that both engines can be asked the same
 * question. Every tensor keeps its layer's name.
 *
 *   npx tsx bench/convert-tfjs-to-onnx.ts <model.json> <out.onnx>
 */
import { writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import * as tf from '@tensorflow/tfjs'
import { DataType, type Attribute, type Constant, type Graph, type GraphNode } from '../lib/engine/onnx/graph/graph.ts'
import { writeModel } from '../lib/engine/onnx/file/write-model.ts'
import { readArtifacts } from '../lib/engine/tfjs/read-artifacts.ts'

type Config = Readonly<Record<string, unknown>>
interface Context {
  readonly layer: tf.layers.Layer
  readonly config: Config
  /** Names of the inputs. */
  readonly inputs: readonly string[]
  /** Name of the output. */
  readonly output: string
  /** [N, H, W, C] of the first input. */
  readonly shape: readonly (number | null)[]
  readonly node: (
    operator: string,
    inputs: readonly string[],
    output: string,
    attributes?: Record<string, Attribute>,
  ) => void
  /** Adds a constant, with its axes exchanged, and answers its name. */
  readonly weight: (name: string, axes?: readonly number[]) => string | null
  readonly scalar: (name: string, value: number) => string
}

const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value })
const int = (value: number): Attribute => ({ kind: 'int', value })
const float = (value: number): Attribute => ({ kind: 'float', value })

function numbers(value: unknown): [number, number] {
  const [first, second] = Array.isArray(value) ? (value as unknown[]) : [value, value]
  return [Number(first), Number(second ?? first)]
}

/** ONNX' attributes of a window that slides: kernel, strides and pads as numbers. */
function windowOf({ config, shape }: Context, kernel: [number, number]): Record<string, Attribute> {
  const [, height, width] = shape
  if (typeof height !== 'number' || typeof width !== 'number') throw new Error('the extent of a map must be known')
  const strides = numbers(config['strides'])
  const dilations = numbers(config['dilationRate'] ?? 1)
  const pads = [height, width].map((size, axis) => {
    if (config['padding'] !== 'same') return [0, 0]
    const stride = strides[axis] ?? 1
    const reach = ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) + 1
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size)
    return [Math.floor(total / 2), total - Math.floor(total / 2)]
  })
  const [rows = [], columns = []] = pads
  return {
    kernel_shape: ints(kernel),
    strides: ints(strides),
    pads: ints([rows[0] ?? 0, columns[0] ?? 0, rows[1] ?? 0, columns[1] ?? 0]),
  }
}

function convolution(context: Context, depthwise: boolean): void {
  const { config, inputs, output, shape } = context
  const window = windowOf(context, numbers(config['kernelSize']))
  // [R, S, C, K] -> [K, C, R, S]; a depthwise [R, S, C, 1] -> [C, 1, R, S].
  const kernel = context.weight(depthwise ? 'depthwise_kernel' : 'kernel', depthwise ? [2, 3, 0, 1] : [3, 2, 0, 1])
  const bias = context.weight('bias')
  if (depthwise && Number(config['depthMultiplier']) !== 1) throw new Error('depth multiplier 1 only')
  const made = activated(context, (name) => {
    context.node('Conv', [inputs[0] ?? '', kernel ?? '', ...(bias === null ? [] : [bias])], name, {
      ...window,
      dilations: ints(numbers(config['dilationRate'] ?? 1)),
      group: int(depthwise ? Number(shape[3]) : 1),
    })
  })
  if (made !== output) throw new Error(`${output} is not made`)
}

/** Runs the layer's own activation behind what `make` makes. */
function activated(context: Context, make: (name: string) => void): string {
  const { activation = 'linear' } = context.config
  if (typeof activation !== 'string') throw new Error(`${context.output}: an activation without a name`)
  if (activation === 'linear') {
    make(context.output)
    return context.output
  }
  const before = `${context.output}/before-activation`
  make(before)
  return activate(context, activation, before)
}

function activate(context: Context, activation: string, input: string): string {
  const { output } = context
  if (activation === 'linear') context.node('Identity', [input], output)
  else if (activation === 'relu') context.node('Relu', [input], output)
  else if (activation === 'relu6')
    context.node('Clip', [input, context.scalar('zero', 0), context.scalar('six', 6)], output)
  else if (activation === 'softmax') context.node('Softmax', [input], output, { axis: int(-1) })
  else throw new Error(`activation ${activation} is not converted`)
  return output
}

/** One function a Keras class. */
const LAYERS: Readonly<Record<string, (context: Context) => void>> = {
  Conv2D: (context) => {
    convolution(context, false)
  },
  DepthwiseConv2D: (context) => {
    convolution(context, true)
  },
  Dense: (context) => {
    const kernel = context.weight('kernel') ?? ''
    const bias = context.weight('bias')
    activated(context, (name) => {
      context.node('Gemm', [context.inputs[0] ?? '', kernel, ...(bias === null ? [] : [bias])], name)
    })
  },
  BatchNormalization: (context) => {
    const statistics = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((name) => context.weight(name))
    if (statistics.includes(null)) throw new Error('batch normalisation needs scale and centre')
    context.node('BatchNormalization', [context.inputs[0] ?? '', ...statistics.map(String)], context.output, {
      epsilon: float(Number(context.config['epsilon'])),
    })
  },
  LeakyReLU: ({ node, inputs, output, config }) => {
    node('LeakyRelu', inputs, output, { alpha: float(Number(config['alpha'])) })
  },
  ReLU: (context) => {
    activate(context, Number(context.config['maxValue'] ?? 0) === 6 ? 'relu6' : 'relu', context.inputs[0] ?? '')
  },
  Activation: (context) => {
    activate(context, String(context.config['activation']), context.inputs[0] ?? '')
  },
  MaxPooling2D: (context) => {
    context.node('MaxPool', context.inputs, context.output, windowOf(context, numbers(context.config['poolSize'])))
  },
  AveragePooling2D: (context) => {
    context.node('AveragePool', context.inputs, context.output, windowOf(context, numbers(context.config['poolSize'])))
  },
  GlobalAveragePooling2D: ({ node, inputs, output }) => {
    node('GlobalAveragePool', inputs, `${output}/map`)
    node('Flatten', [`${output}/map`], output, { axis: int(1) })
  },
  Add: ({ node, inputs, output }) => {
    node('Sum', inputs, output)
  },
  Dropout: ({ node, inputs, output }) => {
    node('Identity', inputs, output)
  },
}

function constantOf(tensor: tf.Tensor, axes?: readonly number[]): Constant {
  const moved = axes === undefined ? tensor : tf.transpose(tensor, [...axes])
  const values = Float32Array.from(moved.dataSync())
  const dims = [...moved.shape]
  if (moved !== tensor) moved.dispose()
  return { type: DataType.float, dims, bytes: new Uint8Array(values.buffer) }
}

/** The ONNX file of a loaded model. The input is [batch, C, H, W]. */
export function convertLayersModel(model: tf.LayersModel, name: string): Uint8Array {
  const nodes: GraphNode[] = []
  const constants = new Map<string, Constant>()
  const [input] = model.inputs
  const [output] = model.outputs
  if (input === undefined || output === undefined) throw new Error('one input and one output')
  for (const layer of model.layers) {
    if (layer.getClassName() === 'InputLayer') continue
    const convert = LAYERS[layer.getClassName()]
    const [from, ...further] = layer.inboundNodes
    if (convert === undefined) throw new Error(`${layer.name}: ${layer.getClassName()} is not converted`)
    if (from === undefined || further.length > 0) throw new Error(`${layer.name} is used more than once`)
    convert({
      layer,
      config: layer.getConfig(),
      inputs: from.inputTensors.map(({ sourceLayer }) => sourceLayer.name),
      output: layer.name,
      shape: from.inputTensors[0]?.shape ?? [],
      node: (operator, inputs, made, attributes = {}) => {
        nodes.push({ name: made, operator, domain: '', inputs, outputs: [made], attributes })
      },
      weight: (wanted, axes) => {
        const variable = layer.weights.find(({ originalName }) => originalName.endsWith(`/${wanted}`))
        if (variable === undefined) return null
        constants.set(`${layer.name}/${wanted}`, constantOf(variable.read(), axes))
        return `${layer.name}/${wanted}`
      },
      scalar: (wanted, value) => {
        constants.set(wanted, { type: DataType.float, dims: [], bytes: new Uint8Array(Float32Array.of(value).buffer) })
        return wanted
      },
    })
  }
  const [, height = null, width = null, channels = null] = input.shape
  const graph: Graph = {
    name,
    nodes,
    inputs: [{ name: input.sourceLayer.name, type: DataType.float, shape: ['batch', channels, height, width] }],
    outputs: [{ name: output.sourceLayer.name, type: DataType.float, shape: ['batch', ...output.shape.slice(1)] }],
    constants,
    values: new Map(),
    opsets: new Map([['', 17]]),
    irVersion: 8,
  }
  return writeModel(graph)
}

/** Reads a model.json and answers the ONNX file's bytes. */
export async function convertTfjsToOnnx(path: string): Promise<Uint8Array> {
  const artifacts = await readArtifacts(path)
  const model = await tf.loadLayersModel({ load: () => Promise.resolve(artifacts) })
  try {
    return convertLayersModel(model, model.name)
  } finally {
    model.dispose()
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [path, out] = process.argv.slice(2)
  if (path === undefined || out === undefined) {
    console.error('usage: npx tsx bench/convert-tfjs-to-onnx.ts <model.json> <out.onnx>')
    process.exit(2)
  }
  tf.enableProdMode()
  const bytes = await convertTfjsToOnnx(path)
  await writeFile(out, bytes)
  console.log(`${out}: ${bytes.length} bytes`)
}
