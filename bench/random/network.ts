/**
 * Builds convolutional networks with seeded random weights as ONNX files: speed does not depend on what the weights have
 * learnt, so `npm run bench` needs no Python and downloads nothing. BatchNorm is folded, as every exporter does in
 * evaluation mode.
 */
import { floatConstant } from '../../lib/engine/onnx/graph/constant.ts'
import {
  DataType,
  type Attribute,
  type Constant,
  type Graph,
  type GraphNode,
} from '../../lib/engine/onnx/graph/graph.ts'
import { writeModel } from '../../lib/engine/onnx/file/write-model.ts'
import { uniform } from './uniform.ts'

const OPSET = 17
const IR_VERSION = 8

/** Uniform noise of unit variance: as good as normal noise for a benchmark, and five times as fast to draw. */
function noise(random: () => number, size: number, scale: number): Float32Array {
  const width = Math.sqrt(12) * scale
  return Float32Array.from({ length: size }, () => (random() - 0.5) * width)
}

const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value })
const int = (value: number): Attribute => ({ kind: 'int', value })

export interface ConvOptions {
  readonly stride?: number
  readonly groups?: number
  /** Scale of the weights; less than 1 keeps residual networks from growing. */
  readonly gain?: number
}

/** [N, C, H, W] tensors are named by the node that makes them. */
export class NetworkBuilder {
  readonly #nodes: GraphNode[] = []
  readonly #constants = new Map<string, Constant>()
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = uniform(seed)
  }

  #node(name: string, operator: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    this.#nodes.push({ name, operator, domain: '', inputs, outputs: [name], attributes })
    return name
  }

  #weight(name: string, dims: readonly number[], fanIn: number, gain: number): string {
    const size = dims.reduce((product, dim) => product * dim, 1)
    this.#constants.set(name, floatConstant(noise(this.#random, size, gain * Math.sqrt(2 / fanIn)), dims))
    return name
  }

  #bias(name: string, size: number): string {
    this.#constants.set(name, floatConstant(noise(this.#random, size, 0.05), [size]))
    return name
  }

  /** Same padding: (kernel - 1) / 2 on each side. */
  conv(name: string, input: string, from: number, to: number, kernel: number, options: ConvOptions = {}): string {
    const { stride = 1, groups = 1, gain = 1 } = options
    const pad = (kernel - 1) / 2
    const fanIn = (from / groups) * kernel * kernel
    const weight = this.#weight(`${name}.weight`, [to, from / groups, kernel, kernel], fanIn, gain)
    const bias = this.#bias(`${name}.bias`, to)
    return this.#node(name, 'Conv', [input, weight, bias], {
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
      pads: ints([pad, pad, pad, pad]),
      dilations: ints([1, 1]),
      group: int(groups),
    })
  }

  relu(name: string, input: string): string {
    return this.#node(name, 'Relu', [input])
  }

  relu6(name: string, input: string): string {
    for (const [bound, value] of [
      ['relu6.min', 0],
      ['relu6.max', 6],
    ] as const)
      this.#constants.set(bound, floatConstant([value], []))
    return this.#node(name, 'Clip', [input, 'relu6.min', 'relu6.max'])
  }

  add(name: string, a: string, b: string): string {
    return this.#node(name, 'Add', [a, b])
  }

  maxPool(name: string, input: string, kernel: number, stride: number, pad: number): string {
    return this.#node(name, 'MaxPool', [input], {
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
      pads: ints([pad, pad, pad, pad]),
    })
  }

  /** Global average pooling and one linear layer: the end of all of these networks. */
  head(input: string, channels: number, classes: number): void {
    const pooled = this.#node('pool', 'GlobalAveragePool', [input])
    const flat = this.#node('flatten', 'Flatten', [pooled], { axis: int(1) })
    const weight = this.#weight('classifier.weight', [classes, channels], channels, 1)
    this.#node('logits', 'Gemm', [flat, weight, this.#bias('classifier.bias', classes)], { transB: int(1) })
  }

  /** The ONNX file. Input `image` [N, 3, side, side], output `logits` [N, classes]. */
  bytes(name: string, side = 224): Uint8Array {
    const graph: Graph = {
      name,
      nodes: this.#nodes,
      inputs: [{ name: 'image', type: DataType.float, shape: ['N', 3, side, side] }],
      outputs: [{ name: 'logits', type: DataType.float, shape: null }],
      constants: this.#constants,
      values: new Map(),
      opsets: new Map([['', OPSET]]),
      irVersion: IR_VERSION,
    }
    return writeModel(graph)
  }
}
