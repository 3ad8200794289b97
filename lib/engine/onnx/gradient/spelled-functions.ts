/**
 * Functions that a file spells out and a rule set has a row for: there they are the one operator of that name. Whether an
 * exporter wrote `Gelu` or five nodes is then the same to the rule set. Values are computed as the file says.
 */
import { placeOf, type Builder } from '../graph/builder.ts'
import { DataType, intAttribute, type Attribute, type Graph, type GraphNode } from '../graph/graph.ts'
import { operatorOf } from '../operators/operator-of.ts'
import type { Bending } from './bending.ts'
import { findActivations } from './spelled-activations.ts'
import { linksOf, Spelling, standsFor, type Spelled } from './spelling.ts'

/** The first of the trailing axes over which a mean is taken that keeps them; null for another mean. */
function meanFrom(spelling: Spelling, node: GraphNode | undefined): number | null {
  const rank = spelling.build.shape(node?.inputs[0] ?? '')?.length
  const axes = spelling.build.intsIn(node?.inputs[1])
  if (node?.operator !== 'ReduceMean' || rank === undefined || axes === undefined || axes.length === 0) return null
  if (intAttribute(node, 'keepdims') === 0) return null
  const places = axes.map((axis) => placeOf(axis, rank)).sort((a, b) => a - b)
  return places.every((place, index) => place === rank - places.length + index) ? rank - places.length : null
}

interface Deviation {
  readonly of: string
  readonly axis: number
  readonly epsilon: number
  readonly inner: readonly GraphNode[]
}

/** sqrt(mean(c²) + ε) as the tensor `name`. */
function deviation(spelling: Spelling, name: string | undefined): Deviation | null {
  const root = spelling.maker(name, 'Sqrt')
  const sum = spelling.maker(root?.inputs[0], 'Add')
  const [averaged, epsilon = 0] = spelling.withScalar(sum) ?? []
  const mean = spelling.maker(averaged, 'ReduceMean')
  const axis = meanFrom(spelling, mean)
  const [of, square] = spelling.squared(mean?.inputs[0]) ?? []
  if (!root || !sum || !mean || axis === null || of === undefined || square === undefined) return null
  return { of, axis, epsilon, inner: [square, mean, sum, root] }
}

/** A constant that has exactly the extents of a tensor from an axis on. */
function fits(build: Builder, name: string | undefined, x: string, axis: number): boolean {
  const [dims, extents] = [build.value(name)?.dims, build.shape(x)?.slice(axis)]
  return dims !== undefined && dims.length === extents?.length && dims.every((dim, at) => dim === extents[at])
}

/** What divides by a deviation: Div, or a product with its reciprocal. [the quotient's node, the nodes inside] */
function divided(spelling: Spelling, of: string, root: string): readonly [GraphNode, readonly GraphNode[]] | null {
  const reader = spelling.only(root)
  if (reader?.operator === 'Div' && reader.inputs[0] === of && reader.inputs[1] === root) return [reader, []]
  const inverts = reader?.operator === 'Div' && reader.inputs[1] === root && spelling.scalar(reader.inputs[0]) === 1
  if (reader === undefined || (reader.operator !== 'Reciprocal' && !inverts)) return null
  const product = spelling.only(reader.outputs[0])
  return product && spelling.beside(product, 'Mul', of) === reader.outputs[0] ? [product, [reader]] : null
}

/** What a tensor is cast to where it stays what it is: models that compute statistics in float32 write so. */
function castOf(spelling: Spelling, name: string | undefined): GraphNode | undefined {
  const cast = spelling.only(name)
  if (cast === undefined || operatorOf(cast).keeps !== 'type') return undefined
  return spelling.build.type(cast.outputs[0] ?? '') === DataType.float ? cast : undefined
}

/** (x - mean) / sqrt(var + ε) scale + bias, and x / sqrt(mean(x²) + ε) scale. */
function normalisation(spelling: Spelling, root: GraphNode): Spelled | null {
  const { build } = spelling
  const found = deviation(spelling, root.outputs[0])
  const [quotient, inverse] = (found && divided(spelling, found.of, root.outputs[0] ?? '')) ?? []
  const cast = castOf(spelling, quotient?.outputs[0])
  const normal = (cast ?? quotient)?.outputs[0]
  const scaling = spelling.only(normal)
  const scale = spelling.beside(scaling, 'Mul', normal ?? '')
  if (found === null || quotient === undefined || inverse === undefined || scaling === undefined) return null
  if (scale === undefined || !fits(build, scale, found.of, found.axis)) return null
  const [inner, attributes] = [[...found.inner, ...inverse, quotient, ...(cast ? [cast] : [])], attributesOf(found)]
  const centring = spelling.maker(found.of, 'Sub')
  const [x = '', mean] = centring?.inputs ?? []
  const averaging = spelling.maker(mean, 'ReduceMean')
  const centred = averaging?.inputs[0] === x && meanFrom(spelling, averaging) === found.axis
  if (!centring || !averaging || !centred)
    return { last: scaling, inner, stands: standsFor(scaling, 'RMSNormalization', [found.of, scale], attributes) }
  const whole = [averaging, centring, ...inner]
  const adding = spelling.only(scaling.outputs[0])
  const bias = spelling.beside(adding, 'Add', scaling.outputs[0] ?? '')
  if (adding !== undefined && bias !== undefined && fits(build, bias, x, found.axis))
    return { last: adding, inner: [...whole, scaling], stands: standsFor(adding, 'LayerNormalization', [x, scale, bias], attributes) } // prettier-ignore
  return { last: scaling, inner: whole, stands: standsFor(scaling, 'LayerNormalization', [x, scale], attributes) }
}

function attributesOf({ axis, epsilon }: Deviation): Readonly<Record<string, Attribute>> {
  return { axis: { kind: 'int', value: axis }, epsilon: { kind: 'float', value: epsilon } }
}

/** Everything inside is read inside: `x` is the only way in and `last` the only way out. */
function closed(
  { inner, last }: Spelled,
  kept: ReadonlySet<string>,
  readers: (name: string) => readonly GraphNode[],
): boolean {
  const all = new Set([...inner, last])
  return inner.every((node) =>
    node.outputs.every((name) => !kept.has(name) && readers(name).every((reader) => all.has(reader))),
  )
}

/** The spelled-out functions that a rule set has rows for, by their last node; of two that overlap the larger. */
export function findSpelled(
  graph: Graph,
  build: Builder,
  kept: ReadonlySet<string>,
  rules: Bending,
): Map<GraphNode, Spelled> {
  if (!rules.bendsAny) return new Map()
  const links = linksOf(graph, kept)
  const spelling = new Spelling(build, links)
  const roots = graph.nodes.filter(({ operator, domain }) => operator === 'Sqrt' && domain === '')
  const all = [
    ...findActivations(graph, build, links),
    ...roots.map((root) => normalisation(spelling, root)).filter((one) => one !== null),
  ].filter(
    (one) =>
      rules.bends(one.stands) &&
      one.inner.every((node) => rules.agrees(node, one.last)) &&
      closed(one, kept, (name) => links.consumers.get(name) ?? []),
  )
  const inside = new Set(all.flatMap((one) => one.inner))
  return new Map(all.filter((one) => !inside.has(one.last)).map((one) => [one.last, one]))
}
