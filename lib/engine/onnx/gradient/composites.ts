/**
 * Functions that exporters write as several nodes, and whose gradient is cheaper as a whole than node by node. The values
 * are the same; what is saved are passes over large tensors.
 */
import type { Builder } from '../graph/builder.ts'
import { intAttribute, intsAttribute, type Graph, type GraphNode } from '../graph/graph.ts'
import { clipBounds, geluSlope } from '../operators/rules/activation.ts'
import { blockedMap } from '../operators/rules/blocked.ts'
import { rectifiedPoolGradient } from '../operators/rules/blocked-pooling.ts'
import { windowOf } from '../operators/rules/convolution.ts'
import { keepBetween } from '../operators/rules/mask.ts'
import { matMulGradients } from '../operators/rules/matmul.ts'
import { maxPool } from '../operators/rules/pooling.ts'
import { PLAIN, type Bending } from './bending.ts'
import { findErfGelus } from './spelled-activations.ts'
import { linksOf, onlyReader, type Links } from './spelling.ts'

export interface Composite {
  /** All its nodes but the last. */
  readonly inner: readonly GraphNode[]
  /** [tensor, its gradient] for each tensor it reads and that is wanted. */
  gradients(build: Builder, g: string, wanted: (name: string) => boolean): readonly (readonly [string, string])[]
}

/**
 * Every composite of the graph, by its last node; a tensor that is kept lies inside none, nor does an operator whose rule is
 * a bent one.
 */
export function findComposites(
  graph: Graph,
  build: Builder,
  kept: ReadonlySet<string>,
  rules: Bending = PLAIN,
): Map<GraphNode, Composite> {
  const links = linksOf(graph, kept)
  const all = [
    ...gelusOf(graph, build, links),
    ...findAttentions(graph, build, links),
    ...findRectifiedPools(graph, build, links),
  ]
  return new Map(all.filter(([last, { inner }]) => ![last, ...inner].some((node) => rules.bends(node))))
}

/**
 * A maximum over rectified values: where it is open tells which of the chosen values were, so that the mask is taken of the
 * small map and not of the large one.
 */
function findRectifiedPools(graph: Graph, build: Builder, links: Links): Map<GraphNode, Composite> {
  const found = new Map<GraphNode, Composite>()
  for (const pool of graph.nodes) {
    if (pool.operator !== 'MaxPool' || pool.domain !== '' || pool.outputs.length > 1) continue
    const [rectified = ''] = pool.inputs
    const [y = ''] = pool.outputs
    const activation = links.producers.get(rectified)
    if (activation === undefined || activation.domain !== '' || onlyReader(links, rectified) !== pool) continue
    const bounds = rectifies(build, activation)
    if (bounds === null) continue
    const [x = ''] = activation.inputs
    found.set(pool, {
      inner: [activation],
      gradients: (builder, g, wanted) => {
        if (!wanted(x)) return []
        const kept = keepBetween(builder, y, ...bounds, g)
        const blocked = bounds[0] >= 0 ? blockedPoolGradient(builder, pool, kept) : null
        const gradient = blocked ?? maxPool.rule(pool, [kept], builder, [true])[0]
        return gradient ? [[x, gradient]] : []
      },
    })
  }
  return found
}

/** Of a pooling over values that are not negative; null where the blocked layout cannot hold its maps. */
function blockedPoolGradient(build: Builder, pool: GraphNode, g: string): string | null {
  const [[x = ''], [y = '']] = [pool.inputs, pool.outputs]
  const [from, to] = [blockedMap(build, x), blockedMap(build, y)]
  const kernel = intsAttribute(pool, 'kernel_shape') ?? []
  if (from === null || to === null || kernel.length !== 2) return null
  return rectifiedPoolGradient(build, [x, y, g], [from, to], windowOf(build, pool, kernel), x)
}

/** Between which values of its output an activation has the slope 1, and 0 elsewhere; null for any other. */
function rectifies(build: Builder, node: GraphNode): readonly [number, number] | null {
  if (node.operator === 'Relu') return [0, Infinity]
  return node.operator === 'Clip' ? clipBounds(build, node) : null
}

/** What a softmax becomes before it is used: itself, or torch's guard, Where(IsNaN(p), 0, p), for rows that are all masked. */
function guarded(build: Builder, links: Links, softmax: GraphNode): { name: string; inner: readonly GraphNode[] } {
  const [name = ''] = softmax.outputs
  const bare = { name, inner: [softmax] }
  const readers = links.consumers.get(name) ?? []
  const isNaN = readers.find((node) => node.operator === 'IsNaN')
  const where = readers.find((node) => node.operator === 'Where')
  if (readers.length !== 2 || isNaN === undefined || where === undefined || links.kept.has(name)) return bare
  const [condition, zero, value] = where.inputs
  if (condition !== isNaN.outputs[0] || value !== name || build.scalarIn(zero) !== 0) return bare
  if (onlyReader(links, condition) !== where) return bare
  return { name: where.outputs[0] ?? '', inner: [softmax, isNaN, where] }
}

/**
 * softmax(S) V, the middle of attention. With P the probabilities, C the product and g its cotangent, dS = P (dP - s), s the
 * sums of dP P over each row. They are the sums of g C as well (Dao 2022, 2205.14135, appendix B.2), which has fewer columns.
 */
function findAttentions(graph: Graph, build: Builder, links: Links): Map<GraphNode, Composite> {
  const found = new Map<GraphNode, Composite>()
  for (const softmax of graph.nodes) {
    if (softmax.operator !== 'Softmax' || softmax.domain !== '') continue
    const [scores = ''] = softmax.inputs
    const { name: probabilities, inner } = guarded(build, links, softmax)
    const product = onlyReader(links, probabilities)
    const [p, values = ''] = product?.inputs ?? []
    if (product?.operator !== 'MatMul' || product.domain !== '' || p !== probabilities || values === p) continue
    const [rows, whole] = [build.shape(probabilities), build.shape(product.outputs[0] ?? '')]
    const axis = intAttribute(softmax, 'axis') ?? -1
    const rank = rows?.length ?? 0
    const alike = rows?.slice(0, -1).every((dim, index) => dim !== null && dim === whole?.[index])
    if (rank < 2 || whole?.length !== rank || !alike || (axis !== -1 && axis !== rank - 1)) continue
    found.set(product, {
      inner,
      gradients: (builder, g, wanted) => {
        const operands = { a: probabilities, b: values }
        const [dp, dv] = matMulGradients(builder, product, g, operands, [wanted(scores), wanted(values)])
        const sums = builder.sum(builder.mul(g, product.outputs[0] ?? ''), [rank - 1], true)
        return [
          ...(dp ? [[scores, builder.mul(probabilities, builder.sub(dp, sums))] as const] : []),
          ...(dv ? [[values, dv] as const] : []),
        ]
      },
    })
  }
  return found
}

/** x Φ(x), its slope from the error function that is there already. */
function gelusOf(graph: Graph, build: Builder, links: Links): Map<GraphNode, Composite> {
  return new Map(
    findErfGelus(graph, build, links).map(({ last, inner, x, scaled, onePlus }) => [
      last,
      {
        inner,
        gradients: (builder, g, wanted) =>
          wanted(x) ? [[x, builder.mul(builder.scale(g, 0.5), geluSlope(builder, scaled, onePlus))]] : [],
      },
    ]),
  )
}
