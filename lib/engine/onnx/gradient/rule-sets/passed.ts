/**
 * Activations that pass on what they get: x̄ = ȳ f(x) / x, so that cotangent times value is the same before and behind them.
 * The identity rule of LRP and its descendants.
 */
import { pointwise } from './pointwise.ts'
import type { BentRule } from './rule-set.ts'

/** Their plain rule gives all relevance to what was chosen, as that has the output's value; a ReLU's is f(x) / x. */
export const PASSING: ReadonlySet<string> = new Set(['GlobalMaxPool', 'MaxPool', 'ReduceMax', 'ReduceMin', 'Relu'])

/** Below this size an activation's argument counts as 0: there the gradient stands. */
const TINY = 1e-10

/** A row for every pointwise operator whose plain rule does not say so already. */
export function passedActivations<P>(): Readonly<Record<string, BentRule<P>>> {
  const all = pointwise<P>({
    varies: (bent, name) => bent.depends(name),
    bend: (build, { x, y, g, plain }) => {
      const far = build.op('Greater', [build.op('Abs', [x]), build.float(TINY)])
      return build.where(far, build.div(build.mul(g, y), x), plain)
    },
  })
  return Object.fromEntries(Object.entries(all).filter(([operator]) => !PASSING.has(operator)))
}
