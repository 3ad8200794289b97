/** The table of gradient rules: operator -> rule. Adding an operator is one function and one row here and in the test. */
import type { GraphNode } from '../graph/graph.ts'
import * as activation from './rules/activation.ts'
import * as arithmetic from './rules/arithmetic.ts'
import { attention } from './rules/attention.ts'
import { conv, convTranspose } from './rules/convolution.ts'
import { einsum } from './rules/einsum.ts'
import * as indexing from './rules/indexing.ts'
import { gemm, matMul } from './rules/matmul.ts'
import * as normalization from './rules/normalization.ts'
import * as pooling from './rules/pooling.ts'
import * as quantised from './rules/quantised.ts'
import * as reduction from './rules/reduction.ts'
import { resize } from './rules/resize.ts'
import type { RuleEntry } from './rules/rule.ts'
import * as shape from './rules/shape.ts'
import { logSoftmax, softmax } from './rules/softmax.ts'

/** Rules of ai.onnx operators by name, of other domains by `domain:name`. */
export const RULES: Readonly<Record<string, RuleEntry>> = Object.freeze({
  Abs: arithmetic.abs,
  Acos: arithmetic.acos,
  Acosh: arithmetic.acosh,
  Add: arithmetic.add,
  Asin: arithmetic.asin,
  Asinh: arithmetic.asinh,
  Atan: arithmetic.atan,
  Atanh: arithmetic.atanh,
  Attention: attention,
  AveragePool: pooling.averagePool,
  BatchNormalization: normalization.batchNormalization,
  Cast: arithmetic.identity,
  Celu: activation.celu,
  Clip: activation.clip,
  Concat: shape.concat,
  Conv: conv,
  ConvInteger: quantised.convInteger,
  ConvTranspose: convTranspose,
  Cos: arithmetic.cos,
  Cosh: arithmetic.cosh,
  CumSum: shape.cumSum,
  DepthToSpace: shape.depthToSpace,
  DequantizeLinear: quantised.dequantizeLinear,
  Div: arithmetic.div,
  Dropout: arithmetic.identity,
  DynamicQuantizeLinear: quantised.dynamicQuantizeLinear,
  Einsum: einsum,
  Elu: activation.elu,
  Erf: arithmetic.erf,
  Exp: arithmetic.exp,
  Expand: shape.expand,
  Flatten: shape.reshape,
  Gather: indexing.gather,
  GatherElements: indexing.gatherElements,
  GatherND: indexing.gatherND,
  Gelu: activation.gelu,
  Gemm: gemm,
  GlobalAveragePool: pooling.globalAveragePool,
  GlobalLpPool: pooling.globalLpPool,
  GlobalMaxPool: pooling.globalMaxPool,
  GroupNormalization: normalization.groupNormalization,
  HardSigmoid: activation.hardSigmoid,
  HardSwish: activation.hardSwish,
  Identity: arithmetic.identity,
  InstanceNormalization: normalization.instanceNormalization,
  LRN: normalization.lrn,
  LayerNormalization: normalization.layerNormalization,
  LeakyRelu: activation.leakyRelu,
  Log: arithmetic.log,
  LogSoftmax: logSoftmax,
  LpNormalization: normalization.lpNormalization,
  LpPool: pooling.lpPool,
  MatMul: matMul,
  MatMulInteger: quantised.matMulInteger,
  Max: arithmetic.minMax,
  MaxPool: pooling.maxPool,
  Mean: arithmetic.meanOf,
  MeanVarianceNormalization: normalization.meanVarianceNormalization,
  Min: arithmetic.minMax,
  Mish: activation.mish,
  Mul: arithmetic.mul,
  Neg: arithmetic.neg,
  PRelu: activation.pRelu,
  Pad: shape.pad,
  Pow: arithmetic.pow,
  QuantizeLinear: quantised.quantizeLinear,
  RMSNormalization: normalization.rmsNormalization,
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
  Resize: resize,
  ScatterElements: indexing.scatterElements,
  ScatterND: indexing.scatterND,
  Selu: activation.selu,
  Shrink: activation.shrink,
  Sigmoid: activation.sigmoid,
  Sin: arithmetic.sin,
  Sinh: arithmetic.sinh,
  Slice: shape.slice,
  Softmax: softmax,
  Softplus: activation.softplus,
  Softsign: activation.softsign,
  SpaceToDepth: shape.spaceToDepth,
  Split: shape.split,
  Sqrt: arithmetic.sqrt,
  Squeeze: shape.reshape,
  Sub: arithmetic.sub,
  Sum: arithmetic.sum,
  Swish: activation.swish,
  Tan: arithmetic.tan,
  Tanh: activation.tanh,
  ThresholdedRelu: activation.thresholdedRelu,
  Tile: shape.tile,
  TopK: indexing.topK,
  Transpose: shape.transpose,
  Trilu: shape.trilu,
  Unsqueeze: shape.reshape,
  Where: arithmetic.where,
  'com.microsoft:Gelu': activation.gelu,
  'com.microsoft:QuickGelu': activation.swish,
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

/** Operators whose rules hold for quantised integers too: they move values, add them, or change their type. */
export const HOLD_FOR_INTEGERS: ReadonlySet<string> = new Set(
  (
    'Add Cast Concat DepthToSpace Expand Flatten Gather GatherElements GatherND Identity MaxPool Pad Reshape Slice ' +
    'SpaceToDepth Split Squeeze Sub Tile Transpose Unsqueeze'
  ).split(' '),
)

export function ruleKey(node: GraphNode): string {
  return node.domain === '' ? node.operator : `${node.domain}:${node.operator}`
}
