/** Gradient rules of reductions. In the graph at hand (opset >= 18) the axes are the second input. */
import { placeOf, type Builder } from '../../graph/builder.ts'
import { intAttribute, type GraphNode } from '../../graph/graph.ts'
import { input, ranksOf, refusing, unary } from './rule.ts'

const ranked = (gradient: Parameters<typeof unary>[0]) => refusing(unary(gradient), ranksOf(0))

/** The axes a reduction runs over, empty where it does nothing; null where they are computed in the graph. */
function knownAxes(build: Builder, node: GraphNode): readonly number[] | null {
  const rank = build.shapeFor(node, input(node, 0)).length
  const name = input(node, 1)
  const axes = name === '' ? [] : build.intsIn(name)
  if (axes === undefined) return null
  if (axes.length > 0) return axes.map((axis) => placeOf(axis, rank))
  return intAttribute(node, 'noop_with_empty_axes') === 1 ? [] : Array.from({ length: rank }, (_, axis) => axis)
}

/** Puts the axes of size 1 back that `keepdims=0` took away. */
function withAxes(build: Builder, node: GraphNode, name: string): string {
  if ((intAttribute(node, 'keepdims') ?? 1) === 1) return name
  const axes = knownAxes(build, node)
  if (axes === null) return build.op('Unsqueeze', [name, input(node, 1)])
  return build.unsqueeze(
    name,
    axes.toSorted((a, b) => a - b),
  )
}

/** Sum or product over the axes that the node itself runs over. */
function over(build: Builder, node: GraphNode, operator: 'ReduceSum' | 'ReduceProd', x: string): string {
  const axes = knownAxes(build, node)
  const noop = intAttribute(node, 'noop_with_empty_axes')
  return build.op(operator, [x, axes === null ? input(node, 1) : build.ints(axes)], {
    keepdims: 1,
    noop_with_empty_axes: axes === null ? noop : undefined,
  })
}

/** A value of y, its axes put back, at each value of x that went into it. */
function widened(build: Builder, node: GraphNode, x: string, value: string): string {
  const axes = knownAxes(build, node)
  const wide = withAxes(build, node, value)
  return axes === null ? build.op('Expand', [wide, build.shapeOf(x)]) : build.expandLike(wide, x, axes)
}

/** dx = (the cotangent, widened to x) times f. */
function reduction(factor: (build: Builder, x: string, y: string, node: GraphNode) => string) {
  return ranked((build, x, y, g, node) => {
    const wide = withAxes(build, node, g)
    if (knownAxes(build, node)?.length === 0) return wide
    return build.mul(wide, factor(build, x, withAxes(build, node, y), node))
  })
}

export const reduceSum = ranked((build, x, _y, g, node) => widened(build, node, x, g))
export const reduceMean = ranked((build, x, y, g, node) =>
  widened(build, node, x, build.div(g, build.countPer(x, y, knownAxes(build, node)))),
)
/** Ties share the gradient equally, as PyTorch's amax. */
export const reduceExtremum = reduction((build, x, y, node) => {
  const attained = build.cast(build.op('Equal', [x, y]), 1)
  return build.div(attained, over(build, node, 'ReduceSum', attained))
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
  const zero = build.op('Equal', [x, build.float(0)])
  const isZero = build.cast(zero, 1)
  const zeros = over(build, node, 'ReduceSum', isZero)
  const rest = build.where(zero, build.float(1), x)
  const product = over(build, node, 'ReduceProd', rest)
  const others = build.sub(zeros, isZero)
  return build.keep(build.div(product, rest), build.op('Equal', [others, build.float(0)]))
})

function onesLike(build: Builder, x: string): string {
  return build.op('Expand', [build.float(1), build.shapeOf(x)])
}
