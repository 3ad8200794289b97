/** What sets that bend rectifiers share: which operators are one. */
import type { Builder } from '../../graph/builder.ts'
import { clip, clipBounds, hardSigmoid, hardSwish, keepUnclipped } from '../../operators/rules/activation.ts'
import { keepBetween } from '../../operators/rules/mask.ts'
import { keepRepresentable, perAxis, quantizeLinear, rectifiesAt } from '../../operators/rules/quantised.ts'
import { output, unary, type RuleEntry } from '../../operators/rules/rule.ts'
import { whole, type BentRule } from './rule-set.ts'

/** @param g the cotangent @param open what the rectifier lets through of a cotangent, by its plain rule */
export type BentRectifier = (build: Builder, g: string, open: (g: string) => string) => string

/** Clip(0, c), the exported form of ReLU6, bends as ReLU does; any other Clip keeps its plain rule. */
function bentClip(bend: BentRectifier): RuleEntry {
  return {
    rule: (node, cotangents, build, wanted) => {
      const [g] = cotangents
      const [low, high] = clipBounds(build, node) ?? [-Infinity, Infinity]
      if (!g || low !== 0 || high <= 0) return clip.rule(node, cotangents, build, wanted)
      return [bend(build, g, (one) => keepUnclipped(build, node, one))]
    },
  }
}

/** Quantisers delete a rectifier whose work their saturation does: there the quantiser is bent in its place. */
function bentQuantiser(bend: BentRectifier): RuleEntry {
  return {
    ...quantizeLinear,
    rule: (node, cotangents, build, wanted) => {
      const [g] = cotangents
      const rectifies = rectifiesAt(build, node)
      if (!g || rectifies === null) return quantizeLinear.rule(node, cotangents, build, wanted)
      const scale = perAxis(build, node, node.inputs[1] ?? '')
      const open = (one: string): string => keepRepresentable(build, node, one, scale)
      return [build.div(build.where(rectifies, bend(build, g, open), open(g)), scale)]
    },
  }
}

/** A hard sigmoid or swish is one activation, though its spelled-out form holds a Clip(0, c): no rectifier. */
export function rectifiers(bend: BentRectifier): Readonly<Record<string, BentRule<unknown>>> {
  const relu = unary((build, _x, _y, g, node) =>
    bend(build, g, (one) => keepBetween(build, output(node), 0, Infinity, one)),
  )
  return {
    Relu: () => relu,
    Clip: () => bentClip(bend),
    QuantizeLinear: () => bentQuantiser(bend),
    HardSigmoid: whole(hardSigmoid),
    HardSwish: whole(hardSwish),
  }
}
