/** Gradient rules of normalisation at inference. */
import { floatConstant } from '../../graph/constant.ts'
import { placeOf, type Builder } from '../../graph/builder.ts'
import { floatAttribute, intAttribute, intsAttribute, type GraphNode } from '../../graph/graph.ts'
import { input, ranksOf, unary, type RuleEntry } from './rule.ts'

/** [C] -> a shape that broadcasts against x [N, C, ...]. */
function perChannel(build: Builder, node: GraphNode, name: string): string {
  const rank = build.shapeFor(node, input(node, 0)).length
  return build.reshape(name, build.ints([1, -1, ...Array.from({ length: rank - 2 }, () => 1)]))
}

/** scale / sqrt(var + eps), in a shape that broadcasts against x. */
function batchFactor(build: Builder, node: GraphNode): string {
  const epsilon = floatAttribute(node, 'epsilon') ?? 1e-5
  const [scale, variance] = [build.floatsIn(input(node, 1)), build.floatsIn(input(node, 4))]
  const rank = build.shapeFor(node, input(node, 0)).length
  if (scale && variance) {
    const factor = scale.map((one, channel) => one / Math.sqrt((variance[channel] ?? 0) + epsilon))
    return build.constant(floatConstant(factor, [1, factor.length, ...Array.from({ length: rank - 2 }, () => 1)]))
  }
  const root = build.op('Sqrt', [build.add(input(node, 4), build.float(epsilon))])
  return perChannel(build, node, build.div(input(node, 1), root))
}

/**
 * y = (x - mean) scale / sqrt(var + eps) + bias, the statistics given: dx = g scale / sqrt(var + eps). The training form is
 * refused when a model is loaded.
 */
export const batchNormalization: RuleEntry = {
  refuses: ranksOf(0),
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const rest = build.shapeFor(node, input(node, 0)).flatMap((_, axis) => (axis === 1 ? [] : [axis]))
    const [, scale = '', , mean = '', variance = ''] = node.inputs
    const total = () => build.sum(g, rest, false)
    const stabilised = () => build.add(variance, build.float(floatAttribute(node, 'epsilon') ?? 1e-5))
    const centred = () => build.sub(input(node, 0), perChannel(build, node, mean))
    const scaleGradient = () =>
      build.div(build.sum(build.mul(g, centred()), rest, false), build.op('Sqrt', [stabilised()]))
    return [
      wanted[0] ? build.mul(g, batchFactor(build, node)) : null,
      wanted[1] ? scaleGradient() : null,
      wanted[2] ? total() : null,
      wanted[3] ? build.neg(build.mul(total(), build.div(scale, build.op('Sqrt', [stabilised()])))) : null,
      wanted[4] ? build.scale(build.div(build.mul(scaleGradient(), scale), stabilised()), -0.5) : null,
    ]
  },
}

/**
 * Gradient through x̂ = (x - mean x) / sqrt(var x + eps) over `axes`:
 * dx = (u - mean u - x̂ mean(u x̂)) / std, u the cotangent of x̂.
 */
export function throughStandardising(
  build: Builder,
  standardised: string,
  inverseDeviation: string,
  u: string,
  axes: readonly number[],
): string {
  const projection = build.mul(standardised, build.mean(build.mul(u, standardised), axes))
  return build.mul(build.sub(build.sub(u, build.mean(u, axes)), projection), inverseDeviation)
}

/** x̂ and 1/std over `axes`, written out. */
export function standardise(
  build: Builder,
  x: string,
  axes: readonly number[],
  epsilon: number,
): { standardised: string; inverseDeviation: string } {
  const centred = build.sub(x, build.mean(x, axes))
  const variance = build.mean(build.mul(centred, centred), axes)
  const inverseDeviation = build.op('Reciprocal', [build.op('Sqrt', [build.add(variance, build.float(epsilon))])])
  return { standardised: build.mul(centred, inverseDeviation), inverseDeviation }
}

/** Statistics of each channel over its positions; scale and bias [C]. */
export const instanceNormalization: RuleEntry = {
  refuses: ranksOf(0),
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const x = input(node, 0)
    const axes = build.shapeFor(node, x).map((_, axis) => axis)
    const spatial = axes.slice(2)
    const { standardised, inverseDeviation } = standardise(build, x, spatial, floatAttribute(node, 'epsilon') ?? 1e-5)
    const wide = build.reshape(input(node, 1), build.ints([1, -1, ...spatial.map(() => 1)]))
    const rest = [0, ...spatial]
    return [
      wanted[0] ? throughStandardising(build, standardised, inverseDeviation, build.mul(g, wide), spatial) : null,
      wanted[1] ? build.sum(build.mul(g, standardised), rest, false) : null,
      wanted[2] ? build.sum(g, rest, false) : null,
    ]
  },
}

/** The operator set since which a group normalisation has a scale a channel. */
const CHANNEL_SCALES = 21

/** Statistics of each group of channels; scale and bias a channel (set 21) or a group (set 18). */
export const groupNormalization: RuleEntry = {
  refuses: ranksOf(0, 1),
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const [x, scale] = [input(node, 0), input(node, 1)]
    const shape = build.shapeFor(node, x)
    const groups = intAttribute(node, 'num_groups') ?? 1
    const grouped = build.ints([0, groups, -1]) // [N, G, C/G * positions]
    const { standardised, inverseDeviation } = standardise(
      build,
      build.reshape(x, grouped),
      [2],
      floatAttribute(node, 'epsilon') ?? 1e-5,
    )
    const [extent] = build.shapeFor(node, scale)
    const perGroup =
      typeof extent === 'number'
        ? extent === groups && shape[1] !== groups
        : (build.graph.opsets.get('') ?? 0) < CHANNEL_SCALES
    const u = perGroup
      ? build.mul(build.reshape(g, grouped), build.reshape(scale, build.ints([1, -1, 1])))
      : build.reshape(build.mul(g, perChannel(build, node, scale)), grouped)
    const rest = shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]))
    const summed = (values: string): string =>
      perGroup
        ? build.sum(build.reshape(values, grouped), [0, 2], false)
        : build.sum(build.reshapeLike(values, x), rest, false)
    return [
      wanted[0] ? build.reshapeLike(throughStandardising(build, standardised, inverseDeviation, u, [2]), x) : null,
      wanted[1] ? summed(build.mul(build.reshape(g, grouped), standardised)) : null,
      wanted[2] ? summed(g) : null,
    ]
  },
}

/** x / rms(x) times scale, over the axes from `axis` on. */
export const rmsNormalization: RuleEntry = {
  refuses: ranksOf(0),
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const [x, scale] = [input(node, 0), input(node, 1)]
    const shape = build.shapeFor(node, x)
    const axes = shape.map((_, axis) => axis).slice(placeOf(intAttribute(node, 'axis') ?? -1, shape.length))
    const square = build.mean(build.mul(x, x), axes)
    const epsilon = build.float(floatAttribute(node, 'epsilon') ?? 1e-5)
    const inverse = build.op('Reciprocal', [build.op('Sqrt', [build.add(square, epsilon)])])
    const normal = build.mul(x, inverse)
    const u = build.mul(g, scale)
    const projection = build.mul(normal, build.mean(build.mul(u, normal), axes))
    return [
      wanted[0] ? build.mul(build.sub(u, projection), inverse) : null,
      wanted[1] ? build.sumTo(build.mul(g, normal), shape, scale) : null,
    ]
  },
}

/**
 * y = x d^-beta, d = bias + alpha/size * (sum of x² over `size` neighbouring channels):
 * dx = g d^-beta - 2 alpha beta / size * x * (sum over the mirrored neighbours of g y / d).
 */
export const lrn = unary((build, x, y, g, node) => {
  const size = intAttribute(node, 'size') ?? 1
  const alpha = floatAttribute(node, 'alpha') ?? 1e-4
  const beta = floatAttribute(node, 'beta') ?? 0.75
  const bias = floatAttribute(node, 'bias') ?? 1
  const before = Math.floor((size - 1) / 2)
  const neighbours = (values: string, low: number, high: number): string => {
    const ones = build.constant(floatConstant(new Float32Array(size).fill(1), [1, 1, size, 1]))
    const channels = build.op('Concat', [build.ints([0, 1]), build.extentOf(x, 1), build.ints([-1])], { axis: 0 })
    const columns = build.reshape(values, channels) // [N, 1, C, positions]
    return build.reshapeLike(build.op('Conv', [columns, ones], { pads: [low, 0, high, 0] }), x)
  }
  const after = size - 1 - before
  const d = build.add(build.scale(neighbours(build.mul(x, x), before, after), alpha / size), build.float(bias))
  const direct = build.mul(g, build.op('Pow', [d, build.float(-beta)]))
  const mirrored = neighbours(build.div(build.mul(g, y), d), after, before)
  return build.sub(direct, build.mul(build.scale(x, (2 * alpha * beta) / size), mirrored))
})

/** x / norm(x, p) along an axis; where the norm is 0, the gradient is 0. */
export const lpNormalization = unary((build, x, y, g, node) => {
  const axis = intAttribute(node, 'axis') ?? -1
  const p = intAttribute(node, 'p') ?? 2
  const norm = build.op(p === 1 ? 'ReduceL1' : 'ReduceL2', [x, build.ints([axis])], { keepdims: 1 })
  const zero = build.op('Equal', [norm, build.float(0)])
  const total = build.sum(build.mul(g, y), [axis], true)
  const slope = p === 1 ? build.op('Sign', [x]) : y
  const divisor = build.where(zero, build.float(1), norm)
  return build.keep(build.div(build.sub(g, build.mul(slope, total)), divisor), zero, true)
})

/** (x - mean) / std over the given axes. */
export const meanVarianceNormalization = unary((build, x, _y, g, node) => {
  const axes = intsAttribute(node, 'axes') ?? [0, 2, 3]
  const { standardised, inverseDeviation } = standardise(build, x, axes, 1e-9)
  return throughStandardising(build, standardised, inverseDeviation, g, axes)
})

/**
 * LayerNormalization over the axes from `axis` on, with scale and bias of that shape. Its further outputs are the mean and
 * r = 1 / sqrt(var + eps), whose derivatives at each of n values are 1 / n and -r² x̂ / n.
 */
export const layerNormalization: RuleEntry = {
  refuses: ranksOf(0),
  outputs: 3,
  rule: (node, [g, gMean, gInverse], build, wanted) => {
    const [x, scale, bias] = [input(node, 0), input(node, 1), input(node, 2)]
    const shape = build.shapeFor(node, x)
    const first = placeOf(intAttribute(node, 'axis') ?? -1, shape.length)
    const axes = shape.map((_, axis) => axis).slice(first)
    const { standardised, inverseDeviation } = layerStatistics(build, node, x, scale, axes)
    const shares: string[] = []
    if (g) shares.push(throughStandardising(build, standardised, inverseDeviation, build.mul(g, scale), axes))
    const share = (one: string): string => build.div(one, build.countPer(x, one, null))
    if (gMean) shares.push(build.expandLike(share(gMean), x, axes))
    if (gInverse) {
      const factor = build.mul(share(gInverse), build.mul(inverseDeviation, inverseDeviation))
      shares.push(build.neg(build.mul(standardised, factor)))
    }
    return [
      wanted[0] && shares.length > 0 ? shares.reduce((left, right) => build.add(left, right)) : null,
      wanted[1] && g ? build.sumTo(build.mul(g, standardised), shape, scale) : null,
      wanted[2] && g ? build.sumTo(g, shape, bias) : null,
    ]
  },
}

/** One native LayerNormalization with unit scale gives x̂ and 1/std together; written out where the scale is computed. */
function layerStatistics(
  build: Builder,
  node: GraphNode,
  x: string,
  scale: string,
  axes: readonly number[],
): { standardised: string; inverseDeviation: string } {
  const epsilon = floatAttribute(node, 'epsilon') ?? 1e-5
  const scaleDims = build.value(scale)?.dims
  if (scaleDims === undefined) return standardise(build, x, axes, epsilon)
  const unit = build.constant(floatConstant(new Float32Array(scaleDims.reduce((a, b) => a * b, 1)).fill(1), scaleDims))
  const attributes = { axis: axes[0] ?? -1, epsilon: { float: epsilon } }
  const [standardised = '', , inverseDeviation = ''] = build.ops('LayerNormalization', [x, unit], attributes, 3)
  return { standardised, inverseDeviation }
}
