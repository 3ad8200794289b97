/**
 * Gradient rules of activations. Subgradients at kinks: 0 at 0 for ReLU (as PyTorch), 0 at both bounds of Clip (as
 * PyTorch's ReLU6 and, in 2.15, its `clamp`; an older `clamp` passed the gradient there). Masks are made from outputs, so that a convolution and the
 * activation behind it stay one fused kernel.
 */
import type { Builder } from '../../graph/builder.ts'
import { floatAttribute, textAttribute, type GraphNode } from '../../graph/graph.ts'
import { keepBetween } from './mask.ts'
import { input, output, unary, type RuleEntry } from './rule.ts'

export const relu = unary((build, _x, y, g) => keepBetween(build, y, 0, Infinity, g))

export const sigmoid = unary((build, _x, y, g) => build.mul(g, build.mul(y, build.sub(build.float(1), y))))
export const tanh = unary((build, _x, y, g) => build.mul(g, build.sub(build.float(1), build.mul(y, y))))
export const softplus = unary((build, x, _y, g) => build.mul(g, build.op('Sigmoid', [x])))
export const softsign = unary((build, x, _y, g) => {
  const d = build.add(build.float(1), build.op('Abs', [x]))
  return build.div(g, build.mul(d, d))
})

/** max(0, min(1, alpha x + beta)): 0 at both kinks. */
export const hardSigmoid = unary((build, _x, y, g, node) => {
  const alpha = floatAttribute(node, 'alpha') ?? 0.2
  return build.scale(keepBetween(build, y, 0, 1, g), alpha)
})
/** x max(0, min(1, x/6 + 1/2)): slope x/3 + 1/2 between -3 and 3; at the kinks that of the outer side, 0 and 1. */
export const hardSwish = unary((build, x, _y, g) => {
  const slope = build.add(build.scale(x, 1 / 3), build.float(0.5))
  const inner = build.where(build.op('Greater', [x, build.float(-3)]), slope, build.float(0))
  return build.mul(g, build.where(build.op('Less', [x, build.float(3)]), inner, build.float(1)))
})

/** At 0: the negative side's slope (alpha), as PyTorch. */
export const leakyRelu = unary((build, x, _y, g, node) => {
  const alpha = floatAttribute(node, 'alpha') ?? 0.01
  return build.where(build.op('Greater', [x, build.float(0)]), g, build.scale(g, alpha))
})
/** At 0: the negative side's slope, as PyTorch. */
export const pRelu: RuleEntry = {
  broadcast: 'elementwise',
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const [x, slope] = [input(node, 0), input(node, 1)]
    const positive = build.op('Greater', [x, build.float(0)])
    return [
      wanted[0] ? build.where(positive, g, build.mul(g, slope)) : null,
      wanted[1] ? build.where(positive, build.float(0), build.mul(g, x)) : null,
    ]
  },
}
/** At 0: the negative side's slope. y + alpha is alpha e^x there. */
export const elu = unary((build, x, y, g, node) => {
  const alpha = floatAttribute(node, 'alpha') ?? 1
  const negative = build.mul(g, build.add(y, build.float(alpha)))
  return build.where(build.op('Greater', [x, build.float(0)]), g, negative)
})
export const selu = unary((build, x, y, g, node) => {
  const alpha = floatAttribute(node, 'alpha') ?? 1.6732632423543772
  const gamma = floatAttribute(node, 'gamma') ?? 1.0507009873554805
  const negative = build.mul(g, build.add(y, build.float(alpha * gamma)))
  return build.where(build.op('Greater', [x, build.float(0)]), build.scale(g, gamma), negative)
})
/** max(0, x) + min(0, alpha (e^(x/alpha) - 1)): y/alpha + 1 is e^(x/alpha) on the negative side. */
export const celu = unary((build, x, y, g, node) => {
  const alpha = floatAttribute(node, 'alpha') ?? 1
  const negative = build.mul(g, build.add(build.scale(y, 1 / alpha), build.float(1)))
  return build.where(build.op('Greater', [x, build.float(0)]), g, negative)
})
/** x where x > alpha, else 0; 0 at the jump. */
export const thresholdedRelu = unary((build, x, _y, g, node) =>
  build.keep(g, build.op('Greater', [x, build.float(floatAttribute(node, 'alpha') ?? 1)])),
)

/** x + bias below -lambd, x - bias above lambd, 0 between; 0 at the jumps. */
export const shrink = unary((build, x, _y, g, node) =>
  build.keep(g, build.op('Greater', [build.op('Abs', [x]), build.float(floatAttribute(node, 'lambd') ?? 0.5)])),
)

/** x Φ(x), Φ the normal distribution: slope Φ(x) + x φ(x). */
function geluGradient(build: Builder, x: string, g: string): string {
  const scaled = build.scale(x, Math.SQRT1_2)
  const onePlus = build.add(build.op('Erf', [scaled]), build.float(1))
  return build.mul(build.scale(g, 0.5), geluSlope(build, scaled, onePlus))
}

/** Twice the slope, from t = x/√2 and 1 + erf t: 1 + erf t + 2/√π t exp(-t²), its constant in the exponent. */
export function geluSlope(build: Builder, scaled: string, onePlus: string): string {
  const exponent = build.sub(build.float(Math.log(2 / Math.sqrt(Math.PI))), build.mul(scaled, scaled))
  return build.add(onePlus, build.mul(scaled, build.op('Exp', [exponent])))
}
/** x/2 (1 + tanh u), u = sqrt(2/π) (x + 0.044715 x³). */
function tanhGeluGradient(build: Builder, x: string, g: string): string {
  const root = Math.sqrt(2 / Math.PI)
  const square = build.mul(x, x)
  const u = build.mul(x, build.add(build.scale(square, 0.044715 * root), build.float(root)))
  const t = build.op('Tanh', [u])
  const du = build.add(build.scale(square, 3 * 0.044715 * root), build.float(root))
  const sech2 = build.sub(build.float(1), build.mul(t, t))
  const slope = build.add(build.add(t, build.float(1)), build.mul(x, build.mul(sech2, du)))
  return build.mul(g, build.scale(slope, 0.5))
}
export const gelu = unary((build, x, _y, g, node) =>
  textAttribute(node, 'approximate') === 'tanh' ? tanhGeluGradient(build, x, g) : geluGradient(build, x, g),
)
/** x tanh(softplus x). */
export const mish = unary((build, x, _y, g) => {
  const t = build.op('Tanh', [build.op('Softplus', [x])])
  const slope = build.add(
    t,
    build.mul(build.mul(x, build.op('Sigmoid', [x])), build.sub(build.float(1), build.mul(t, t))),
  )
  return build.mul(g, slope)
})
/** x sigmoid(alpha x): Swish of opset 24, QuickGelu of com.microsoft. */
export const swish = unary((build, x, y, g, node) => {
  const alpha = floatAttribute(node, 'alpha') ?? (node.operator === 'QuickGelu' ? 1.702 : 1)
  const s = build.op('Sigmoid', [build.scale(x, alpha)])
  const slope = build.add(s, build.mul(build.scale(y, alpha), build.sub(build.float(1), s)))
  return build.mul(g, slope)
})

/** The bounds of a Clip where they are constants; null where one is computed in the graph. */
export function clipBounds(build: Builder, node: GraphNode): readonly [number, number] | null {
  const bound = (index: number, otherwise: number): number | undefined =>
    input(node, index) === '' ? otherwise : build.scalarIn(input(node, index))
  const [low, high] = [bound(1, -Infinity), bound(2, Infinity)]
  return low === undefined || high === undefined ? null : [low, high]
}

/** g where the output of a Clip lies between its bounds. */
export function keepUnclipped(build: Builder, node: GraphNode, g: string): string {
  const bounds = clipBounds(build, node)
  if (bounds !== null) return keepBetween(build, output(node), ...bounds, g)
  const [, low = '', high = ''] = node.inputs
  const kept = low === '' ? g : build.keep(g, build.op('Greater', [output(node), low]))
  return high === '' ? kept : build.keep(kept, build.op('Less', [output(node), high]))
}

/** The cotangents of what was clipped to a bound are the bound's: a scalar. */
function boundGradient(build: Builder, node: GraphNode, g: string, index: number): string {
  const clipped = build.op('Equal', [output(node), input(node, index)])
  return build.reshapeLike(build.op('ReduceSum', [build.keep(g, clipped)], { keepdims: 0 }), input(node, index))
}

export const clip: RuleEntry = {
  rule: (node, [g], build, wanted) =>
    g
      ? [
          wanted[0] ? keepUnclipped(build, node, g) : null,
          ...[1, 2].map((index) => (wanted[index] ? boundGradient(build, node, g, index) : null)),
        ]
      : [],
}
