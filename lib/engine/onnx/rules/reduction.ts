/** Gradient rules of reductions. In the graph at hand (opset >= 18) the axes are the second input. */
import { AppError } from '../../../errors.ts'
import { placeOf, type Builder } from '../builder.ts'
import { describeNode, intAttribute, type GraphNode } from '../graph.ts'
import { input, output, unary } from './rule.ts'

/** The axes a reduction runs over; empty where it does nothing. */
function reducedAxes(build: Builder, node: GraphNode): readonly number[] {
  const rank = build.shapeFor(node, input(node, 0)).length
  const name = input(node, 1)
  const axes = name === '' ? [] : build.intsIn(name)
  if (axes === undefined)
    throw new AppError({
      code: 'NOT_DIFFERENTIABLE',
      message: `${describeNode(node)}: its axes are computed in the graph. Export it with constant axes.`,
    })
  if (axes.length > 0) return axes.map((axis) => placeOf(axis, rank))
  return intAttribute(node, 'noop_with_empty_axes') === 1 ? [] : Array.from({ length: rank }, (_, axis) => axis)
}

/** Puts the axes of size 1 back that `keepdims=0` took away. */
function withAxes(build: Builder, node: GraphNode, name: string): string {
  if ((intAttribute(node, 'keepdims') ?? 1) === 1) return name
  return build.unsqueeze(
    name,
    reducedAxes(build, node).toSorted((a, b) => a - b),
  )
}

/** dx = (the cotangent, widened to x) times f. */
function reduction(factor: (build: Builder, x: string, y: string, node: GraphNode) => string) {
  return unary((build, x, y, g, node) => {
    const axes = reducedAxes(build, node)
    const wide = withAxes(build, node, g)
    return axes.length === 0 ? wide : build.mul(wide, factor(build, x, withAxes(build, node, y), node))
  })
}

export const reduceSum = unary((build, x, _y, g, node) =>
  build.expandLike(withAxes(build, node, g), x, reducedAxes(build, node)),
)
export const reduceMean = unary((build, x, _y, g, node) => {
  const axes = reducedAxes(build, node)
  if (axes.length === 0) return g
  const share = build.div(withAxes(build, node, g), build.countPer(x, output(node), axes))
  return build.expandLike(share, x, axes)
})
/** Ties share the gradient equally, as PyTorch's amax. */
export const reduceExtremum = reduction((build, x, y, node) => {
  const attained = build.cast(build.op('Equal', [x, y]), 1)
  return build.div(attained, build.sum(attained, reducedAxes(build, node), true))
})
/** sum |x|: 0 at 0. */
export const reduceL1 = reduction((build, x) => build.op('Sign', [x]))
/** sqrt(sum x²): 0 where all are 0, as PyTorch. */
export const reduceL2 = reduction((build, x, y) => {
  const zero = build.op('Equal', [y, build.float(0)])
  return build.div(x, build.where(zero, build.float(1), y))
})
export const reduceLogSum = reduction((build, x, y) =>
  build.mul(build.op('Reciprocal', [build.op('Exp', [y])]), onesLike(build, x)),
)
export const reduceLogSumExp = reduction((build, x, y) => build.op('Exp', [build.sub(x, y)]))
export const reduceSumSquare = reduction((build, x) => build.scale(x, 2))
/** The product of all the others: y/x, where no x is 0; with one zero only that one has a gradient, with two none. */
export const reduceProd = reduction((build, x, _y, node) => {
  const axes = reducedAxes(build, node)
  const zero = build.op('Equal', [x, build.float(0)])
  const isZero = build.cast(zero, 1)
  const zeros = build.sum(isZero, axes, true)
  const rest = build.where(zero, build.float(1), x)
  const product = build.op('ReduceProd', [rest, build.ints(axes)], { keepdims: 1 })
  const others = build.sub(zeros, isZero)
  return build.keep(build.div(product, rest), build.op('Equal', [others, build.float(0)]))
})

function onesLike(build: Builder, x: string): string {
  return build.op('Expand', [build.float(1), build.shapeOf(x)])
}
