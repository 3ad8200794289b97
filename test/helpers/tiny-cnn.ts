/**
 * A CNN small enough to write out, forward and backward, with no engine: input [3, 6, 6], 1x1 convolution to 4 channels,
 * ReLU, 2x2 mean pooling, 1x1 convolution to 5 channels, ReLU, global average pooling, linear layer to 3 classes.
 * Each row of a batch by itself. In double precision inside, float32 at the contract, like a real engine.
 */
import { z } from 'zod'
import { AppError } from '../../lib/errors.ts'
import {
  askWithLateWeights,
  weightsAmong,
  type LateWeights,
  type PlainAnswer,
  type PlainQuestion,
} from '../../lib/engine/literal-formulas.ts'
import type {
  Answer,
  ExplainableModel,
  LayerBias,
  LinearHead,
  Question,
  RuleSetInfo,
  Tap,
} from '../../lib/engine/model.ts'
import { PLAIN_RULES, readRuleSet, type ReadRuleSet } from '../../lib/engine/read-rule-set.ts'
import { DECONVNET, GUIDED_RELU, PLAIN } from '../../lib/engine/rectifier-rules.ts'
import type { TapId } from '../../lib/engine/tap-id.ts'
import { float32 } from '../../lib/tensor/tensor.ts'
import type { FloatTensor } from '../../lib/tensor/tensor.ts'

export const TINY_CLASSES = 3

interface Stage {
  readonly id: TapId
  readonly kind: Tap['kind']
  readonly shape: readonly [number, number, number]
}
const STAGES: readonly Stage[] = [
  { id: 'input', kind: 'input', shape: [3, 6, 6] },
  { id: 'conv1', kind: 'conv', shape: [4, 6, 6] },
  { id: 'relu1', kind: 'activation', shape: [4, 6, 6] },
  { id: 'pool1', kind: 'pool', shape: [4, 3, 3] },
  { id: 'conv2', kind: 'conv', shape: [5, 3, 3] },
  { id: 'relu2', kind: 'activation', shape: [5, 3, 3] },
  { id: 'gap', kind: 'pool', shape: [5, 1, 1] },
]

export interface TinyCnnOptions {
  readonly seed?: number
  /** Added to every bias of the second convolution: -100 kills it, 100 makes it linear. */
  readonly secondBias?: number
  /** Added to every bias of the first convolution: 100 makes it linear for pictures in -1..1. */
  readonly firstBias?: number
  /** A pixel that is not looked at, counted row by row. */
  readonly ignored?: number
  /** Replaces the head's weights [3, 5]. */
  readonly headWeights?: readonly (readonly number[])[]
  /** Added to the head's bias [3]. */
  readonly headBias?: readonly number[]
  /** false: as if the head were of another kind. */
  readonly linearHead?: boolean
  /** Taps without a gradient, and why. */
  readonly undifferentiable?: Readonly<Record<TapId, string>>
  readonly defaultTap?: TapId
  /** false: the number of classes is not in the graph. */
  readonly classesKnown?: boolean
}

const LRP_PARAMS = z.strictObject({ epsilon: z.number().default(1e-6), gamma: z.number().default(0) })

/** What a rectifier passes of a cotangent, by the rule set's id; by the plain rule where it has none here. */
const RECTIFIED: Readonly<Record<string, (gradient: number, open: boolean) => number>> = {
  'guided-relu': (gradient, open) => (open ? Math.max(0, gradient) : 0),
  deconvnet: (gradient) => Math.max(0, gradient),
}

/** Numbers in -1..1, the same for the same seed. */
function pseudoRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
}

export class TinyCnn implements ExplainableModel {
  readonly engine = { name: 'onnx', backend: 'cpu', version: '0', reason: '' } as const
  readonly inputs = ['input']
  readonly ruleSets: readonly RuleSetInfo[] = [
    PLAIN,
    GUIDED_RELU,
    DECONVNET,
    { id: 'rescale', summary: 'DeepLIFT.', params: z.strictObject({}), needsReference: true },
    { id: 'lrp', summary: 'LRP.', params: LRP_PARAMS, needsReference: false },
  ]
  readonly logits = 'logits'
  readonly link = 'softmax'
  readonly linkBasis = 'assumed'
  readonly defaultTap: TapId
  readonly taps: readonly Tap[]
  /** Every question asked so far. */
  readonly asked: Question[] = []
  readonly weights: Readonly<Record<'conv1' | 'conv2' | 'head', readonly (readonly number[])[]>>
  readonly biases: Readonly<Record<'conv1' | 'conv2' | 'head', readonly number[]>>

  constructor(private readonly options: TinyCnnOptions = {}) {
    const random = pseudoRandom(options.seed ?? 13)
    const matrix = (rows: number, columns: number): number[][] =>
      Array.from({ length: rows }, () => Array.from({ length: columns }, random))
    const vector = (size: number, shift = 0): number[] => Array.from({ length: size }, () => random() / 4 + shift)
    this.weights = { conv1: matrix(4, 3), conv2: matrix(5, 4), head: options.headWeights ?? matrix(TINY_CLASSES, 5) }
    this.biases = {
      conv1: vector(4, options.firstBias ?? 0),
      conv2: vector(5, options.secondBias ?? 0),
      head: vector(TINY_CLASSES).map((bias, k) => bias + (options.headBias?.[k] ?? 0)),
    }
    this.defaultTap = options.defaultTap ?? 'relu2'
    this.taps = [
      ...STAGES.map(({ id, kind, shape }): Tap => {
        const reason = options.undifferentiable?.[id]
        return {
          id,
          label: id === 'relu2' ? 'features.relu2' : id,
          kind,
          operator: kind === 'activation' ? 'Relu' : kind,
          shape: [null, ...shape],
          spatial: shape[1] * shape[2] > 1,
          differentiable: reason === undefined,
          ...(reason === undefined ? {} : { reason }),
        }
      }),
      {
        id: 'logits',
        label: 'logits',
        kind: 'output',
        operator: 'Gemm',
        shape: [null, options.classesKnown === false ? null : TINY_CLASSES],
        spatial: false,
        differentiable: true,
      },
    ]
  }

  /** Every tap's value at an input [3, 6, 6], channel by channel. */
  forward(input: ArrayLike<number>): Record<TapId, number[]> {
    return this.forwardFrom('input', Array.from(input))
  }

  /** Every tap's value from a given tap on. */
  forwardFrom(tap: TapId, value: readonly number[]): Record<TapId, number[]> {
    const values: Record<TapId, number[]> = { [tap]: [...value] }
    const step = (id: TapId, from: TapId, compute: (x: number[]) => number[]): void => {
      const source = values[from]
      if (values[id] === undefined && source !== undefined) values[id] = compute(source)
    }
    const relu = (x: number[]): number[] => x.map((one) => Math.max(0, one))
    step('conv1', 'input', (x) => mix(this.seen(x), 36, this.weights.conv1, this.biases.conv1))
    step('relu1', 'conv1', relu)
    step('pool1', 'relu1', (x) => pool(x, 4))
    step('conv2', 'pool1', (x) => mix(x, 9, this.weights.conv2, this.biases.conv2))
    step('relu2', 'conv2', relu)
    step('gap', 'relu2', (x) => Array.from({ length: 5 }, (_, k) => sum(x.slice(k * 9, k * 9 + 9)) / 9))
    step('logits', 'gap', (x) => mix(x, 1, this.weights.head, this.biases.head))
    return values
  }

  /**
   * d(cotangent . logits) / d(every tap), written out from the back.
   * @param reference values of a second pass: rectifiers then have DeepLIFT's multipliers for their slopes (rescale rule)
   */
  private backward(
    values: Record<TapId, number[]>,
    cotangent: readonly number[],
    rules: ReadRuleSet<RuleSetInfo>,
    reference?: Record<TapId, number[]>,
  ): Record<TapId, number[]> {
    const through = (tap: TapId, gradient: readonly number[]): number[] =>
      gradient.map((one, at) => {
        const here = values[tap]?.[at] ?? 0
        const there = reference?.[tap]?.[at] ?? here
        const bent = RECTIFIED[rules.info.id]
        if (bent !== undefined) return bent(one, here > 0)
        const slope = here === there ? Number(here > 0) : (Math.max(0, here) - Math.max(0, there)) / (here - there)
        return one * slope
      })
    /** Back through a product with weights: as LRP has it where it is asked for, else transposed. */
    const back = (layer: 'conv1' | 'conv2' | 'head', from: TapId, to: TapId, plane: number, g: readonly number[]) => {
      if (rules.info.id !== 'lrp') return transposedMix(g, plane, this.weights[layer])
      const { epsilon, gamma } = LRP_PARAMS.parse((rules.byTap.get(to) ?? rules).params)
      const raised = this.weights[layer].map((row) => row.map((weight) => weight + gamma * Math.max(0, weight)))
      const z = mix(values[from] ?? [], plane, raised, this.biases[layer])
      const shares = g.map((one, at) => (one * (values[to]?.[at] ?? NaN)) / ((z[at] ?? NaN) + ((z[at] ?? NaN) < 0 ? -epsilon : epsilon))) // prettier-ignore
      return transposedMix(shares, plane, raised)
    }
    const gap = back('head', 'gap', 'logits', 1, cotangent)
    const relu2 = gap.flatMap((one) => Array<number>(9).fill(one / 9))
    const conv2 = through('conv2', relu2)
    const pool1 = back('conv2', 'pool1', 'conv2', 9, conv2)
    const relu1 = Array.from({ length: 4 * 36 }, (_, at) => {
      const [channel, y, x] = [Math.floor(at / 36), Math.floor((at % 36) / 6), at % 6]
      return (pool1[channel * 9 + Math.floor(y / 2) * 3 + Math.floor(x / 2)] ?? 0) / 4
    })
    const conv1 = through('conv1', relu1)
    return { gap, relu2, conv2, pool1, relu1, conv1, input: this.seen(back('conv1', 'input', 'conv1', 36, conv1)) }
  }

  /** An input or its gradient, [3, 36], without the pixel that is ignored. */
  private seen(x: number[]): number[] {
    return x.map((one, at) => (at % 36 === this.options.ignored ? 0 : one))
  }

  linearHead(tap: TapId): Promise<LinearHead | null> {
    if (tap !== 'relu2' || this.options.linearHead === false) return Promise.resolve(null)
    return Promise.resolve({
      weights: float32(this.weights.head.flat(), [TINY_CLASSES, 5]),
      bias: float32(this.biases.head, [TINY_CLASSES]),
    })
  }

  layerBiases(): Promise<readonly LayerBias[]> {
    const { conv1, conv2, head } = this.biases
    return Promise.resolve([
      { tap: 'conv1', value: float32(conv1, [1, 4, 1, 1]) },
      { tap: 'conv2', value: float32(conv2, [1, 5, 1, 1]) },
      { tap: 'logits', value: float32(head, [1, TINY_CLASSES]) },
    ])
  }

  ask(question: Question, signal?: AbortSignal): Promise<Answer> {
    this.asked.push(question)
    return askWithLateWeights(question, this.inputs, (plain) => this.askPlainly(plain, signal))
  }

  private async askPlainly(
    { feeds = {}, from = {}, read, gradient }: PlainQuestion<FloatTensor | LateWeights>,
    signal?: AbortSignal,
  ): Promise<PlainAnswer> {
    await Promise.resolve()
    if (signal?.aborted === true) throw new AppError({ code: 'CANCELLED', message: 'cancelled' })
    const unknown = [...read, ...(gradient?.wrt ?? [])].find((id) => !this.taps.some((tap) => tap.id === id))
    if (unknown !== undefined) throw new AppError({ code: 'UNKNOWN_LAYER', message: unknown })
    const rules = readRuleSet(gradient?.rules ?? PLAIN_RULES, this.ruleSets)
    const passes = this.passes(feeds, from)
    const rows = passes.length
    const cotangents = gradient?.of['logits']
    const weights = cotangents && weightsAmong(cotangents, (id) => stacked(id, passes))
    const references =
      rules.reference && this.passes({ ...feeds, ...rules.reference.feeds }, rules.reference.from ?? {})
    const gradients = passes.map((values, row) => {
      if (weights === undefined) return {}
      const reference = references?.[references.length === 1 ? 0 : row]
      const [from, to] = [row * TINY_CLASSES, (row + 1) * TINY_CLASSES]
      if (weights.dims.join() !== [rows, TINY_CLASSES].join())
        throw new AppError({ code: 'BAD_INPUT', message: `weights [${weights.dims.join(', ')}] of ${rows} rows` })
      return this.backward(values, [...weights.data.subarray(from, to)], rules, reference)
    })
    return {
      values: Object.fromEntries(read.map((id) => [id, stacked(id, passes)])),
      gradients: Object.fromEntries((gradient?.wrt ?? []).map((id) => [id, stacked(id, gradients)])),
    }
  }

  /** Every tap's value behind what is fed or replaced, for each row. */
  private passes(
    feeds: NonNullable<Question['feeds']>,
    from: NonNullable<Question['from']>,
  ): Record<TapId, number[]>[] {
    const [[id, start] = ['input', feeds['input']], ...others] = Object.entries(from)
    const shape = STAGES.find((stage) => stage.id === id)?.shape
    const fits = shape !== undefined && start?.dims.slice(1).join() === shape.join()
    if (!fits || !(start.data instanceof Float32Array) || others.length > 0)
      throw new AppError({ code: 'BAD_INPUT', message: `one tensor is fed or replaced, in its shape: ${id}` })
    const size = shape.reduce((product, one) => product * one, 1)
    const { data } = start
    return Array.from({ length: start.dims[0] ?? 0 }, (_, row) =>
      this.forwardFrom(id, [...data.subarray(row * size, (row + 1) * size)]),
    )
  }

  dispose(): Promise<void> {
    return Promise.resolve()
  }
}

/** A tap of several rows, in one tensor. @throws AppError UNKNOWN_LAYER where there is none such, or it was not computed */
function stacked(id: TapId, rows: readonly Readonly<Record<TapId, readonly number[]>>[]): FloatTensor {
  const shape = id === 'logits' ? [TINY_CLASSES] : STAGES.find((stage) => stage.id === id)?.shape
  if (shape === undefined || rows.some((row) => row[id] === undefined))
    throw new AppError({ code: 'UNKNOWN_LAYER', message: id })
  return float32(
    rows.flatMap((row) => row[id] ?? []),
    [rows.length, ...shape],
  )
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** A 1x1 convolution: out[k] = sum_c matrix[k][c] x[c] + bias[k], at each of `plane` positions. */
function mix(
  x: readonly number[],
  plane: number,
  matrix: readonly (readonly number[])[],
  bias: readonly number[],
): number[] {
  return matrix.flatMap((row, k) =>
    Array.from(
      { length: plane },
      (_, at) => sum(row.map((weight, channel) => weight * (x[channel * plane + at] ?? NaN))) + (bias[k] ?? NaN),
    ),
  )
}

function transposedMix(g: readonly number[], plane: number, matrix: readonly (readonly number[])[]): number[] {
  return Array.from({ length: (matrix[0]?.length ?? 0) * plane }, (_, at) =>
    sum(matrix.map((row, k) => (row[Math.floor(at / plane)] ?? NaN) * (g[k * plane + (at % plane)] ?? NaN))),
  )
}

/** 2x2 mean pooling of [channels, 6, 6]. */
function pool(x: readonly number[], channels: number): number[] {
  return Array.from({ length: channels * 9 }, (_, at) => {
    const start = Math.floor(at / 9) * 36 + Math.floor((at % 9) / 3) * 12 + (at % 3) * 2
    return sum([0, 1, 6, 7].map((offset) => x[start + offset] ?? NaN)) / 4
  })
}

/** A feed [1, 3, 6, 6] in -1..1. */
export function tinyFeed(seed = 1): FloatTensor {
  return float32(Array.from({ length: 108 }, pseudoRandom(seed)), [1, 3, 6, 6])
}
