/** Gradient rules of elementwise arithmetic. Ties of Min and Max share the gradient equally, as PyTorch's amax does. */
import type { Builder } from '../../graph/builder.ts'
import { DataType } from '../../graph/graph.ts'
import { elementwise, output, unary, type Rule } from './rule.ts'

export const identity = unary((_build, _x, _y, g) => g)
export const add = elementwise(
  (_build, _in, _y, g) => g,
  (_build, _in, _y, g) => g,
)
export const sub = elementwise(
  (_build, _in, _y, g) => g,
  (build, _in, _y, g) => build.neg(g),
)
export const mul = elementwise(
  (build, [, b = ''], _y, g) => build.mul(g, b),
  (build, [a = ''], _y, g) => build.mul(g, a),
)
export const div = elementwise(
  (build, [, b = ''], _y, g) => {
    const divisor = build.scalarIn(b)
    return divisor ? build.scale(g, 1 / divisor) : build.div(g, b)
  },
  (build, [, b = ''], y, g) => build.neg(build.div(build.mul(g, y), b)),
)
export const neg = unary((build, _x, _y, g) => build.neg(g))
/** At 0: 0. */
export const abs = unary((build, x, _y, g) => build.mul(g, build.op('Sign', [x])))
export const reciprocal = unary((build, _x, y, g) => build.neg(build.mul(g, build.mul(y, y))))
export const sqrt = unary((build, _x, y, g) => build.div(build.scale(g, 0.5), y))
export const exp = unary((build, _x, y, g) => build.mul(g, y))
export const log = unary((build, x, _y, g) => build.div(g, x))
export const erf = unary((build, x, _y, g) =>
  build.mul(g, build.scale(build.op('Exp', [build.neg(build.mul(x, x))]), 2 / Math.sqrt(Math.PI))),
)
export const sin = unary((build, x, _y, g) => build.mul(g, build.op('Cos', [x])))
export const cos = unary((build, x, _y, g) => build.neg(build.mul(g, build.op('Sin', [x]))))

const one = (build: Builder): string => build.float(1)
const squared = (build: Builder, x: string): string => build.mul(x, x)
export const tan = unary((build, _x, y, g) => build.mul(g, build.add(one(build), squared(build, y))))
export const asin = unary((build, x, _y, g) =>
  build.div(g, build.op('Sqrt', [build.sub(one(build), squared(build, x))])),
)
export const acos = unary((build, x, _y, g) =>
  build.neg(build.div(g, build.op('Sqrt', [build.sub(one(build), squared(build, x))]))),
)
export const atan = unary((build, x, _y, g) => build.div(g, build.add(one(build), squared(build, x))))
export const sinh = unary((build, x, _y, g) => build.mul(g, build.op('Cosh', [x])))
export const cosh = unary((build, x, _y, g) => build.mul(g, build.op('Sinh', [x])))
export const asinh = unary((build, x, _y, g) =>
  build.div(g, build.op('Sqrt', [build.add(squared(build, x), one(build))])),
)
export const acosh = unary((build, x, _y, g) =>
  build.div(g, build.op('Sqrt', [build.sub(squared(build, x), one(build))])),
)
export const atanh = unary((build, x, _y, g) => build.div(g, build.sub(one(build), squared(build, x))))

/**
 * x^c, c of any numeric type: c x^(c-1), and 0 for c = 0 at every x (as PyTorch). The exponent's gradient is 0 where x < 0
 * (log x does not exist there) and at x = 0, but for c < 0: there it is -inf, as PyTorch's.
 */
export const pow = elementwise(
  (build, [x = '', exponent = ''], _y, g) => {
    const c = build.numberIn(exponent)
    if (c === 0) return build.mul(g, build.float(0))
    if (c === 1) return g
    if (c === 2) return build.mul(build.scale(g, 2), x)
    if (c === 3) return build.mul(build.scale(g, 3), build.mul(x, x))
    if (c !== undefined) return build.mul(build.scale(g, c), build.op('Pow', [x, build.float(c - 1)]))
    const power = build.type(exponent) === DataType.float ? exponent : build.cast(exponent, DataType.float)
    const slope = build.mul(power, build.op('Pow', [x, build.sub(power, build.float(1))]))
    return build.mul(g, build.keep(slope, build.op('Equal', [power, build.float(0)]), true))
  },
  (build, [x = '', exponent = ''], y, g) => {
    const zero = build.float(0)
    const pole = build.op('And', [build.op('Equal', [x, zero]), build.op('Less', [exponent, zero])])
    const hasLog = build.op('Or', [build.op('Greater', [x, zero]), pole])
    const log = build.op('Log', [build.where(hasLog, build.op('Abs', [x]), build.float(1))])
    return build.mul(g, build.mul(y, log))
  },
)

/** Min, Max, of any number of inputs: equal shares among the inputs that attain the value. */
const extremum: Rule = (node, [g], build, wanted) => {
  if (!g) return []
  const y = output(node)
  const attained = node.inputs.map((name) => build.cast(build.op('Equal', [name, y]), 1))
  const count = attained.reduce((sum, one) => build.add(sum, one))
  const share = build.div(g, count)
  return attained.map((one, index) => (wanted[index] ? build.mul(share, one) : null))
}
export const minMax = { rule: extremum, broadcast: 'elementwise' } as const

/** Sum and Mean of any number of inputs. */
export const sum = {
  rule: (node, [g]) => node.inputs.map(() => g ?? null),
  broadcast: 'elementwise',
} as const satisfies { rule: Rule; broadcast: 'elementwise' }
export const meanOf = {
  rule: (node, [g], build) => {
    const share = g ? build.scale(g, 1 / node.inputs.length) : null
    return node.inputs.map(() => share)
  },
  broadcast: 'elementwise',
} as const satisfies { rule: Rule; broadcast: 'elementwise' }

export const where = elementwise(
  (_build, _in, _y, g) => g,
  (build, [condition = ''], _y, g) => build.keep(g, condition),
  (build: Builder, [condition = ''], _y, g) => build.where(condition, build.float(0), g),
)
