/**
 * Where a graph has attention weights: P of Y = P V with P = softmax(scores) over the last axis and scores made of the product of
 * two activations, whatever operators spell it; and inside fused operators.
 *
 * Letters: N rows, H heads, T queries, S keys.
 */
import type { TapId } from '../../tap-id.ts'
import { carriesGradient } from '../gradient/differentiate.ts'
import { DataType, shapeIn, type AttentionWeights, type Graph, type GraphNode, type Shape } from '../graph/graph.ts'
import { producersOf } from '../graph/walks.ts'
import { productKind } from '../operators/kinds.ts'
import { operatorOf } from '../operators/operator-of.ts'
import { fixed, same, showsPlaces, Sizes, type Layout, type Size } from '../operators/picture-axes.ts'
import { weightsOf } from '../prepare/functions-attention.ts'
import { shapeInside } from '../prepare/open-attention.ts'
import { embeddingsOf } from './embeddings.ts'
import { LinkReader } from './link-spellings.ts'

interface Found {
  readonly name: TapId
  readonly weights: AttentionWeights
  readonly shape: Shape
}

/** The graph with its attention weights known by a name. */
export function withAttentionSeen(graph: Graph, layouts: ReadonlyMap<string, Layout>): Graph {
  const finder = new AttentionFinder(graph, layouts)
  const found = graph.nodes.flatMap((node) => finder.at(node) ?? [])
  if (found.length === 0) return graph
  const values = new Map(graph.values)
  for (const { name, shape } of found) if (!values.has(name)) values.set(name, { name, type: DataType.float, shape })
  return { ...graph, values, attention: new Map(found.map(({ name, weights }) => [name, weights])) }
}

class AttentionFinder {
  readonly #graph: Graph
  readonly #layouts: ReadonlyMap<string, Layout>
  readonly #producers: ReadonlyMap<string, GraphNode>
  readonly #links: LinkReader
  readonly #content: ReadonlySet<string>
  readonly #sizes = new Sizes()

  constructor(graph: Graph, layouts: ReadonlyMap<string, Layout>) {
    this.#graph = graph
    this.#layouts = layouts
    this.#producers = producersOf(graph.nodes)
    this.#links = new LinkReader(graph, 'last')
    this.#content = contentOf(graph)
  }

  /** The weights that a node multiplies values by, or has inside; null where it does neither. */
  at(node: GraphNode): Found | null {
    const inside = shapeInside(this.#graph, node)
    if (inside !== null) return this.#within(node, inside)
    return isProduct(this.#graph, node) ? this.#readBy(node) : null
  }

  #within(node: GraphNode, shape: Shape): Found | null {
    const [tensor = ''] = node.outputs
    const name = weightsOf(tensor)
    if (this.#isTaken(name)) return null
    const [query = '', key = ''] = node.inputs
    const looksAt = this.#looksAt(shape, this.#shareContent(query, key), this.#layouts.get(query))
    return { name, shape, weights: { looksAt, inside: { tensor, heads: null } } }
  }

  #isTaken(name: string): boolean {
    return this.#graph.values.has(name) || this.#graph.constants.has(name)
  }

  #readBy({ inputs: [read = ''] }: GraphNode): Found | null {
    const chain = this.#chain(read)
    const scores = this.#links.probability(chain.at(-1) ?? '')
    if (scores?.link !== 'softmax') return null
    const factors = this.#factorsOf(scores.scores)
    const own = shapeIn(this.#graph, chain.at(-1) ?? '')
    if (factors.length === 0 || own === null) return null
    const shared = factors.some(([a, b]) => this.#shareContent(a, b))
    // Of one tensor in several shapes the one that is nearest to the values, and has its heads on an axis of their own.
    const alike = chain.flatMap((name) => {
      const shape = shapeIn(this.#graph, name)
      const isAlike = shape !== null && [-1, -2].every((axis) => shape.at(axis) === own.at(axis))
      return isAlike ? [{ name, shape }] : []
    })
    const four = alike.filter(({ shape }) => shape.length === 4)
    const whole = four.find(({ shape }) => this.#countsRows(shape)) ?? four[0]
    if (whole !== undefined)
      return { ...whole, weights: { looksAt: this.#looksAt(whole.shape, shared, this.#layouts.get(whole.name)) } }
    const folded = alike.find(({ shape }) => shape.length === 3)
    return folded === undefined ? null : this.#unfolded(folded.name, folded.shape, shared)
  }

  /** [N * heads, T, S], where it is known how many heads that are. */
  #unfolded(tensor: string, shape: Shape, shared: boolean): Found | null {
    const layout = this.#layouts.get(tensor)
    const [first = null, queries = null, keys = null] = shape
    const [all, rows] = [this.#sizes.of(first), this.#rows()]
    const heads = all === null || rows === null ? null : fixed([all[0] / rows[0], all[1] / rows[1]])
    const name = weightsOf(tensor)
    if (heads === null || !Number.isInteger(heads) || this.#isTaken(name) || this.#isWindowed(layout)) return null
    const unfolded = [this.#rowsDim(), heads, queries, keys]
    return {
      name,
      shape: unfolded,
      weights: { looksAt: this.#looksAt(unfolded, shared, undefined), inside: { tensor, heads } },
    }
  }

  /** A tensor and those whose numbers it has, the last one's without any that are set to a constant. */
  #chain(name: string): readonly string[] {
    const chain = [name]
    for (let at: string | undefined = name; at !== undefined;) {
      at = this.#links.before(at) ?? this.#chosenFrom(at)
      if (at !== undefined) chain.push(at)
    }
    return chain
  }

  /** What is left where a condition sets some numbers to a constant: torch's guard for rows that are all masked, a mask. */
  #chosenFrom(name: string): string | undefined {
    const node = this.#producers.get(name)
    if (node === undefined || operatorOf(node).chooses !== true) return undefined
    const [, a = '', b = ''] = node.inputs
    const [first, second] = [a, b].map((one) => this.#graph.constants.has(one))
    return first === second ? undefined : first ? b : a
  }

  /** The operands of the products that scores are made of, behind scales, masks, biases and shapes. */
  #factorsOf(scores: string): readonly (readonly [string, string])[] {
    const found: (readonly [string, string])[] = []
    this.#walk([scores], (node) => {
      if (operatorOf(node).kind !== productKind) return 'further'
      const [a = '', b = ''] = node.inputs
      if (isProduct(this.#graph, node)) found.push([a, b])
      return 'stop'
    })
    return found
  }

  /** Whether two tensors are made, token by token, of one that depends on what the model reads. */
  #shareContent(one: string, other: string): boolean {
    const own = this.#tokenwise(one)
    return [...this.#tokenwise(other)].some((name) => own.has(name) && this.#content.has(name))
  }

  readonly #known = new Map<string, ReadonlySet<string>>()

  /** A tensor and what it is made of, up to products of activations, which mix tokens. */
  #tokenwise(name: string): ReadonlySet<string> {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const seen = this.#walk([name], (node) =>
      isProduct(this.#graph, node) || operatorOf(node).kind === 'attention' || operatorOf(node).stops
        ? 'stop'
        : 'further',
    )
    this.#known.set(name, seen)
    return seen
  }

  /** Backwards from some tensors. @returns all that were reached */
  #walk(from: readonly string[], visit: (node: GraphNode) => 'further' | 'stop'): ReadonlySet<string> {
    const seen = new Set(from)
    for (const name of seen) {
      const node = this.#producers.get(name)
      if (node === undefined || visit(node) === 'stop') continue
      for (const input of node.inputs) if (input !== '') seen.add(input)
    }
    return seen
  }

  #looksAt(shape: Shape, shared: boolean, layout: Layout | undefined): AttentionWeights['looksAt'] {
    const [, , queries = null, keys = null] = shape
    const [down, across] = [this.#sizes.of(queries), this.#sizes.of(keys)]
    if (!shared || (down !== null && across !== null && !same(down, across))) return 'cross'
    return this.#isWindowed(layout) || !this.#countsRows(shape) ? 'local' : 'self'
  }

  /** Whether the first axis counts rows of the batch, or nothing says that it does not. */
  #countsRows([first = null]: Shape): boolean {
    const [own, rows] = [this.#sizes.of(first), this.#rows()]
    return own === null || rows === null || same(own, rows)
  }

  #isWindowed(layout: Layout | undefined): boolean {
    const [first] = layout ?? []
    return first !== undefined && showsPlaces(first)
  }

  #rowsDim(): Shape[number] {
    const [first] = this.#graph.inputs
    return shapeIn(this.#graph, first?.name ?? '')?.[0] ?? null
  }
  #rows(): Size | null {
    return this.#sizes.of(this.#rowsDim())
  }
}

/** A product of two activations. */
function isProduct(graph: Graph, node: GraphNode): boolean {
  return operatorOf(node).kind === productKind && node.inputs.slice(0, 2).every((name) => !graph.constants.has(name))
}

/** What depends on the numbers that the model reads or on the rows of tables that it looks up: no masks, no places alone. */
function contentOf(graph: Graph): ReadonlySet<string> {
  const inputs = graph.inputs.map(({ name }) => name).filter((name) => carriesGradient(graph, name))
  const content = new Set([...inputs, ...embeddingsOf(graph).map(({ name }) => name)])
  for (const node of graph.nodes)
    if (!operatorOf(node).stops && node.inputs.some((name) => content.has(name)))
      for (const name of node.outputs) content.add(name)
  return content
}
