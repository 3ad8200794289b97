/** Gradient rules of softmax and its logarithm, along one axis. */
import { intAttribute } from '../../graph/graph.ts'
import { unary } from './rule.ts'

export const softmax = unary((build, _x, y, g, node) => {
  const weighted = build.mul(g, y)
  const total = build.sum(weighted, [intAttribute(node, 'axis') ?? -1], true)
  return build.sub(weighted, build.mul(y, total))
})
export const logSoftmax = unary((build, _x, y, g, node) => {
  const total = build.sum(g, [intAttribute(node, 'axis') ?? -1], true)
  return build.sub(g, build.mul(build.op('Exp', [y]), total))
})
