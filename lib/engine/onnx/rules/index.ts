/** The table of gradient rules: operator -> rule. Adding an operator is one function and one row here and in the test. */
import type { RuleSet } from '../../model.ts'
import type { GraphNode } from '../graph.ts'
import * as activation from './activation.ts'
import * as arithmetic from './arithmetic.ts'
import { conv } from './convolution.ts'
import { gather, gatherElements } from './indexing.ts'
import { gemm, matMul } from './matmul.ts'
import { batchNormalization, layerNormalization } from './normalization.ts'
import { averagePool, globalAveragePool, globalMaxPool, maxPool } from './pooling.ts'
import * as reduction from './reduction.ts'
import type { RuleEntry } from './rule.ts'
import * as shape from './shape.ts'
import { logSoftmax, softmax } from './softmax.ts'

/** Rules of ai.onnx operators by name, of other domains by `domain:name`. */
export const RULES: Readonly<Record<string, RuleEntry>> = Object.freeze({
  Abs: arithmetic.abs,
  Add: arithmetic.add,
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Cast: arithmetic.identity,
  Celu: activation.celu,
  Clip: activation.clip,
  Concat: shape.concat,
  Conv: conv,
  Cos: arithmetic.cos,
  Div: arithmetic.div,
  Dropout: arithmetic.identity,
  Elu: activation.elu,
  Erf: arithmetic.erf,
  Exp: arithmetic.exp,
  Expand: shape.expand,
  Flatten: shape.reshape,
  Gather: gather,
  GatherElements: gatherElements,
  Gelu: activation.gelu,
  Gemm: gemm,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
  HardSigmoid: activation.hardSigmoid,
  HardSwish: activation.hardSwish,
  Identity: arithmetic.identity,
  LayerNormalization: layerNormalization,
  LeakyRelu: activation.leakyRelu,
  Log: arithmetic.log,
  LogSoftmax: logSoftmax,
  MatMul: matMul,
  Max: arithmetic.minMax,
  MaxPool: maxPool,
  Mean: arithmetic.meanOf,
  Min: arithmetic.minMax,
  Mish: activation.mish,
  Mul: arithmetic.mul,
  Neg: arithmetic.neg,
  PRelu: activation.pRelu,
  Pad: shape.pad,
  Pow: arithmetic.pow,
  Reciprocal: arithmetic.reciprocal,
  ReduceL1: reduction.reduceL1,
  ReduceL2: reduction.reduceL2,
  ReduceLogSum: reduction.reduceLogSum,
  ReduceLogSumExp: reduction.reduceLogSumExp,
  ReduceMax: reduction.reduceExtremum,
  ReduceMean: reduction.reduceMean,
  ReduceMin: reduction.reduceExtremum,
  ReduceProd: reduction.reduceProd,
  ReduceSum: reduction.reduceSum,
  ReduceSumSquare: reduction.reduceSumSquare,
  Relu: activation.relu,
  Reshape: shape.reshape,
  Selu: activation.selu,
  Sigmoid: activation.sigmoid,
  Sin: arithmetic.sin,
  Slice: shape.slice,
  Softmax: softmax,
  Softplus: activation.softplus,
  Softsign: activation.softsign,
  Split: shape.split,
  Sqrt: arithmetic.sqrt,
  Squeeze: shape.reshape,
  Sub: arithmetic.sub,
  Sum: arithmetic.sum,
  Swish: activation.swish,
  Tanh: activation.tanh,
  ThresholdedRelu: activation.thresholdedRelu,
  Tile: shape.tile,
  Transpose: shape.transpose,
  Unsqueeze: shape.reshape,
  Where: arithmetic.where,
})

/** What a rule set changes: everything else keeps its plain rule. */
const BENT: Readonly<Record<RuleSet, Readonly<Record<string, RuleEntry>>>> = Object.freeze({
  plain: {},
  'guided-relu': { Relu: activation.guidedRelu, Clip: activation.guidedClip },
  deconvnet: { Relu: activation.deconvnetRelu, Clip: activation.deconvnetClip },
})

/** Operators with floating-point outputs whose derivative is zero wherever it exists: the gradient stops, rightly. */
export const STOPS: ReadonlySet<string> = new Set([
  'Ceil',
  'ConstantOfShape',
  'EyeLike',
  'Floor',
  'OneHot',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Range',
  'Round',
  'Shape',
  'Sign',
  'Size',
])

export function ruleKey(node: GraphNode): string {
  return node.domain === '' ? node.operator : `${node.domain}:${node.operator}`
}

/** The rule of a node under a rule set; undefined where there is none. */
export function ruleFor(node: GraphNode, rules: RuleSet): RuleEntry | undefined {
  const key = ruleKey(node)
  return BENT[rules][key] ?? RULES[key]
}
