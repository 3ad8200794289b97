/** Gradient rules of normalisation at inference. */
import { floatConstant } from '../constant.ts'
import { placeOf, type Builder } from '../builder.ts'
import { floatAttribute, intAttribute, type GraphNode } from '../graph.ts'
import { input, type RuleEntry } from './rule.ts'

/** y = (x - mean) scale / sqrt(var + eps) + bias, statistics fixed: g scale / sqrt(var + eps). */
export const batchNormalization: RuleEntry = {
  rule: (node, [g], build) => {
    if (!g) return []
    const rank = build.shapeFor(node, input(node, 0)).length
    const epsilon = floatAttribute(node, 'epsilon') ?? 1e-5
    const [scale, variance] = [build.floatsIn(input(node, 1)), build.floatsIn(input(node, 4))]
    const shape = [1, -1, ...Array.from({ length: rank - 2 }, () => 1)]
    if (scale && variance) {
      const factor = scale.map((one, channel) => one / Math.sqrt((variance[channel] ?? 0) + epsilon))
      return [
        build.mul(
          g,
          build.constant(
            floatConstant(
              factor,
              shape.map((dim) => (dim === -1 ? factor.length : dim)),
            ),
          ),
        ),
      ]
    }
    const root = build.op('Sqrt', [build.add(input(node, 4), build.float(epsilon))])
    return [build.mul(g, build.reshape(build.div(input(node, 1), root), build.ints(shape)))]
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

/** LayerNormalization over the axes from `axis` on, with scale and bias of that shape. */
export const layerNormalization: RuleEntry = {
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const [x, scale, bias] = [input(node, 0), input(node, 1), input(node, 2)]
    const shape = build.shapeFor(node, x)
    const first = placeOf(intAttribute(node, 'axis') ?? -1, shape.length)
    const axes = shape.map((_, axis) => axis).slice(first)
    const { standardised, inverseDeviation } = layerStatistics(build, node, x, scale, axes)
    return [
      wanted[0] ? throughStandardising(build, standardised, inverseDeviation, build.mul(g, scale), axes) : null,
      wanted[1] ? build.sumTo(build.mul(g, standardised), shape, scale) : null,
      wanted[2] ? build.sumTo(g, shape, bias) : null,
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
