/** Nonlinearities y = f(x) that treat every number by itself: what sets that bend all of them share. */
import type { Builder } from '../../graph/builder.ts'
import { output, type RuleEntry } from '../../operators/rules/rule.ts'
import { OPERATORS } from '../../operators/table.ts'
import { inOneOperand } from './linear.ts'
import type { Bent, BentRule } from './rule-set.ts'

export interface BentPointwise<P> {
  /** Whether a tensor is no weight: with two of them the function is none of one number. */
  readonly varies: (bent: Bent<P>, tensor: string) => boolean
  /**
   * @param at x, y = f(x), y's cotangent g, and the cotangent of x that the gradient has, in y's shape
   * @returns the bent one
   */
  readonly bend: (
    build: Builder,
    at: { readonly x: string; readonly y: string; readonly g: string; readonly plain: string },
    bent: Bent<P>,
  ) => string
}

function bentEntry<P>(entry: RuleEntry, { varies, bend }: BentPointwise<P>, bent: Bent<P>): RuleEntry {
  return {
    ...inOneOperand(entry, (name) => varies(bent, name)),
    rule: (node, cotangents, build, wanted) => {
      const [g] = cotangents
      const plain = entry.rule(node, cotangents, build, wanted)
      return node.inputs.map((x, index) => {
        const own = plain[index] ?? null
        return g && own !== null && wanted[index] ? bend(build, { x, y: output(node), g, plain: own }, bent) : own
      })
    },
  }
}

/** A row for every pointwise operator. */
export function pointwise<P>(bent: BentPointwise<P>): Readonly<Record<string, BentRule<P>>> {
  return Object.fromEntries(
    Object.entries(OPERATORS).flatMap(([operator, { rule, pointwise }]): [string, BentRule<P>][] =>
      rule && pointwise ? [[operator, (at) => bentEntry(rule, bent, at)]] : [],
    ),
  )
}
