/** DeepLIFT's rescale rule for softmax and its logarithm, in steps: exponentials, their sum, its logarithm. */
import type { Builder } from '../../graph/builder.ts'
import { intAttribute } from '../../graph/graph.ts'
import { unary, type RuleEntry } from '../../operators/rules/rule.ts'
import type { Backwards } from './rule-set.ts'

/** A number's exponential in the two passes. */
interface Powers {
  /** Exponents, and what they are the exponents of. */
  readonly exponents: readonly [string, string]
  readonly powers: readonly [string, string]
}

/**
 * The rescale multiplier of exp: Δ exp(a) / Δa, the logarithmic mean of the two. Where the exponents are near, in a form that
 * loses no digits: exp((a + a') / 2) sinh(h) / h, h = Δa / 2.
 */
function logarithmicMean(build: Builder, { exponents, powers }: Powers): string {
  const difference = build.sub(...exponents)
  const size = build.op('Abs', [difference])
  const half = build.scale(difference, 0.5)
  const finite = build.keep(half, build.op('Less', [size, build.float(1)]))
  const zero = build.op('Equal', [finite, build.float(0)])
  const spread = build.div(build.op('Sinh', [finite]), build.where(zero, build.float(1), finite))
  const near = build.mul(
    build.op('Exp', [build.scale(build.add(...exponents), 0.5)]),
    build.where(zero, build.float(1), spread),
  )
  const far = build.div(build.sub(...powers), difference)
  return build.where(build.op('GreaterOrEqual', [size, build.float(1)]), far, near)
}

/**
 * y = exp(x - L) or x - L, L = log Σ exp x: m_x = u - w Σ u, with u the multipliers of x - L and w those of L, which are the
 * exponentials' divided by those of their sum's exponential, L.
 */
export function rescaledSoftmax({ reference }: Backwards, logarithm: boolean): RuleEntry {
  return unary((build, x, y, g, node) => {
    const axes = [intAttribute(node, 'axis') ?? -1]
    const each = (one: (name: string, index: number) => string, of: readonly [string, string] = [x, reference(x)]) =>
      of.map(one) as [string, string]
    const largest = each((name) => build.op('ReduceMax', [name, build.ints(axes)], { keepdims: 1 }))
    const shift = build.op('Max', largest)
    const exponents = each((name) => build.sub(name, shift))
    const powers = each((name) => build.op('Exp', [name]), exponents)
    const sums = each((name) => build.sum(name, axes, true), powers)
    // Each from its own largest number, which the other pass may be far below.
    const totals = each((name, index) => {
      const own = largest[index] ?? ''
      const sum = build.sum(build.op('Exp', [build.sub(name, own)]), axes, true)
      return build.add(build.sub(own, shift), build.op('Log', [sum]))
    })
    const weights = build.div(
      logarithmicMean(build, { exponents, powers }),
      logarithmicMean(build, { exponents: totals, powers: sums }),
    )
    const logs = each((name, index) => build.sub(name, totals[index] ?? ''), exponents)
    const u = logarithm ? g : build.mul(g, logarithmicMean(build, { exponents: logs, powers: [y, reference(y)] }))
    return build.sub(u, build.mul(weights, build.sum(u, axes, true)))
  })
}
