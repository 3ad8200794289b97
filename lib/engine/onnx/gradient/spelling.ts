/** What looks for functions that a file spells out reads a graph with. */
import type { Builder } from '../graph/builder.ts'
import type { Attribute, Graph, GraphNode } from '../graph/graph.ts'
import { consumersOf, producersOf } from '../graph/walks.ts'

export interface Links {
  readonly producers: ReadonlyMap<string, GraphNode>
  readonly consumers: ReadonlyMap<string, readonly GraphNode[]>
  /** Tensors that a question names: they lie inside no function. */
  readonly kept: ReadonlySet<string>
}

export function linksOf(graph: Graph, kept: ReadonlySet<string>): Links {
  return { producers: producersOf(graph.nodes), consumers: consumersOf(graph.nodes), kept }
}

/** The one node that reads a tensor that nothing else needs. */
export function onlyReader({ consumers, kept }: Links, name = ''): GraphNode | undefined {
  const all = consumers.get(name) ?? []
  return all.length === 1 && !kept.has(name) ? all[0] : undefined
}

/** A function that a file spells out. */
export interface Spelled {
  /** All its nodes but the last. */
  readonly inner: readonly GraphNode[]
  readonly last: GraphNode
  /** The operator that it is, on the same tensors. */
  readonly stands: GraphNode
}

export function standsFor(
  last: GraphNode,
  operator: string,
  inputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
): GraphNode {
  return { ...last, operator, domain: '', inputs, attributes }
}

/** Questions about one graph's spelling. */
export class Spelling {
  readonly build: Builder
  readonly #links: Links

  constructor(build: Builder, links: Links) {
    this.build = build
    this.#links = links
  }

  /** The node that makes a tensor, where it is this operator. */
  maker(name: string | undefined, operator: string): GraphNode | undefined {
    const node = this.#links.producers.get(name ?? '')
    return node?.operator === operator && node.domain === '' ? node : undefined
  }
  /** The one node that reads a tensor. */
  only(name: string | undefined): GraphNode | undefined {
    return onlyReader(this.#links, name)
  }
  /** The other operand of `node` where it is this operator. */
  beside(node: GraphNode | undefined, operator: string, name: string): string | undefined {
    if (node?.operator !== operator || node.domain !== '' || node.inputs.length !== 2) return undefined
    return node.inputs[0] === name ? node.inputs[1] : node.inputs[1] === name ? node.inputs[0] : undefined
  }
  scalar(name: string | undefined): number | undefined {
    return this.build.scalarIn(name)
  }
  isScalar(name: string | undefined, value: number): boolean {
    const found = this.scalar(name)
    return found !== undefined && Math.abs(found - value) < 1e-6
  }
  /** [the operand that is no number, the number] of a product or sum of two. */
  withScalar(node: GraphNode | undefined): readonly [string, number] | null {
    const [a = '', b = ''] = node?.inputs ?? []
    const [left, right] = [this.scalar(a), this.scalar(b)]
    if (left === undefined && right !== undefined) return [a, right]
    return right === undefined && left !== undefined ? [b, left] : null
  }
  /** x where the tensor is x times x, with the node that says so. */
  squared(name: string | undefined): readonly [string, GraphNode] | null {
    const product = this.maker(name, 'Mul')
    const [a = '', b] = product?.inputs ?? []
    if (product !== undefined && a === b) return [a, product]
    const power = this.maker(name, 'Pow')
    const [x = '', exponent] = power?.inputs ?? []
    return power !== undefined && this.build.numberIn(exponent) === 2 ? [x, power] : null
  }
}
