/**
 * The scores behind probabilities, in whatever operators a file writes the link: Softmax and Sigmoid, their logarithms, or
 * exponentials, sums and quotients.
 *
 * Letters: x scores, p probabilities, K classes.
 */
import type { Link } from '../../head.ts'
import { floatsOf, intsOf } from '../graph/constant.ts'
import {
  carriesFloats,
  intAttribute,
  intsAttribute,
  shapeIn,
  typeIn,
  type Graph,
  type GraphNode,
} from '../graph/graph.ts'
import { producersOf } from '../graph/walks.ts'
import type { Computation } from '../operators/operator.ts'
import { operatorOf } from '../operators/operator-of.ts'

export interface FoundLink {
  /** The tensor x. */
  readonly scores: string
  readonly link: Extract<Link, 'softmax' | 'sigmoid'>
  /** The link is of -x. */
  readonly negated?: true
  /** p of one score written beside 1 - p: the place of p, 0 or 1. */
  readonly beside?: 0 | 1
}

/** A shift that keeps a logarithm or a quotient finite, at most this large, is no part of the function. */
const GUARD = 1e-3
const HALF = 0.5

function computes(node: GraphNode | undefined, computation: Computation): node is GraphNode {
  return node !== undefined && operatorOf(node).computes === computation
}

/** Follows a graph backwards from its probabilities. */
export class LinkReader {
  readonly #graph: Graph
  readonly #producers: ReadonlyMap<string, GraphNode>
  readonly #along: 'classes' | 'last'

  /** @param along the axis that a softmax is over: the only one that counts something, rows aside, or whichever is last */
  constructor(graph: Graph, along: 'classes' | 'last' = 'classes') {
    this.#graph = graph
    this.#producers = producersOf(graph.nodes)
    this.#along = along
  }

  /** Where p = link(x), or null. */
  probability(name: string): FoundLink | null {
    const at = this.#unguarded(name)
    const node = this.#maker(at)
    if (node === undefined) return null
    const [input = ''] = node.inputs
    if (computes(node, 'softmax')) return this.#alongClasses(node) ? { scores: input, link: 'softmax' } : null
    if (computes(node, 'sigmoid')) return { scores: input, link: 'sigmoid' }
    const exponent = this.#exponent(at)
    return (
      (exponent === null ? null : this.logarithm(exponent)) ??
      this.#shares(node) ??
      this.#logistic(node) ??
      this.#fromTanh(node) ??
      this.#complements(node)
    )
  }

  /** Where log p = log link(x), or null. */
  logarithm(name: string): FoundLink | null {
    const node = this.#maker(this.#unguarded(name))
    if (node === undefined) return null
    const [a = '', b = ''] = node.inputs
    switch (operatorOf(node).computes) {
      case 'log-softmax':
        return this.#alongClasses(node) ? { scores: a, link: 'softmax' } : null
      case 'logarithm':
        return this.probability(a)
      case 'difference': {
        // x - log sum exp x, the sum of x itself or of x less its maximum.
        const total = this.#maker(this.#plain(b))
        const [of] = total?.inputs ?? []
        const summed =
          computes(total, 'log-total-of-exponentials') && this.#sumsClasses(total)
            ? of
            : this.#exponent(this.#summed(computes(total, 'logarithm') ? of : undefined) ?? '')
        return summed != null && this.#plain(summed) === this.#plain(a)
          ? { scores: this.#unshifted(a), link: 'softmax' }
          : null
      }
      case 'negative': {
        // log sigmoid(x) = -softplus(-x)
        const inner = this.#maker(this.#plain(a))
        return computes(inner, 'softplus') ? this.#opposite(inner.inputs[0] ?? '') : null
      }
      default:
        return null
    }
  }

  /** The tensor itself, before what changes its shape or its type and not its numbers, or rounds them. */
  #plain(name: string): string {
    for (let at = name; ;) {
      const node = this.#maker(at)
      const before = node === undefined ? undefined : this.#keeps(node)
      if (before === undefined) return at
      at = before
    }
  }

  /** As `#plain`, and before bounds and shifts that only keep logarithms finite. */
  #unguarded(name: string): string {
    for (let at = name; ;) {
      const before = this.before(at)
      if (before === undefined) return at
      at = before
    }
  }

  /** The tensor whose numbers these are, in another shape or type, rounded, or kept within bounds; undefined where it is none. */
  before(name: string): string | undefined {
    const node = this.#maker(name)
    return node === undefined ? undefined : (this.#keeps(node) ?? this.#guards(node))
  }

  #maker(name: string): GraphNode | undefined {
    return this.#producers.get(name)
  }

  #keeps(node: GraphNode): string | undefined {
    const [input = ''] = node.inputs
    const floats = (tensor: string): boolean => carriesFloats(typeIn(this.#graph, tensor))
    switch (operatorOf(node).keeps) {
      case 'order':
        return input
      case 'type':
        return floats(input) && carriesFloats(intAttribute(node, 'to') ?? -1) ? input : undefined
      case 'rounded': {
        // There and back.
        const rounded = this.#maker(input)
        const [before = ''] = rounded?.inputs ?? []
        return rounded && operatorOf(rounded).keeps === 'rounded' && floats(before) ? before : undefined
      }
      case 'moved': {
        const shape = shapeIn(this.#graph, input)
        const perm = intsAttribute(node, 'perm') ?? shape?.map((_, axis) => axis).reverse()
        const moved = perm?.filter((axis) => axis === 0 || shape?.[axis] !== 1)
        return shape !== null && moved?.every((axis, place) => axis >= (moved[place - 1] ?? 0)) ? input : undefined
      }
      default:
        return undefined
    }
  }

  #guards(node: GraphNode): string | undefined {
    const [a = '', b = '', c = ''] = node.inputs
    const low = (value: number | null): boolean => value !== null && value >= 0 && value <= GUARD
    const high = (value: number | null): boolean => value !== null && value >= 1 - GUARD
    const [value, other] = this.#number(a) === null ? [this.#number(b), a] : [this.#number(a), b]
    switch (operatorOf(node).bounds) {
      case 'both':
        return (b === '' || low(this.#number(b))) && (c === '' || high(this.#number(c))) ? a : undefined
      case 'below':
        return node.inputs.length === 2 && low(value) ? other : undefined
      case 'above':
        return node.inputs.length === 2 && high(value) ? other : undefined
      default:
        return computes(node, 'sum') && low(value) ? other : undefined
    }
  }

  /** A constant that is one number everywhere. */
  #number(name: string): number | null {
    const constant = this.#graph.constants.get(name)
    if (constant === undefined || !carriesFloats(constant.type)) return null
    const values = floatsOf(constant)
    const [first] = values
    return first !== undefined && values.every((value) => value === first) ? first : null
  }

  #is(name: string, value: number): boolean {
    return this.#number(name) === value
  }

  /** The axis of a tensor that counts classes. */
  #classAxis(name: string): number | null {
    const shape = shapeIn(this.#graph, name)
    if (shape === null) return null
    if (this.#along === 'last') return shape.length - 1
    const axes = shape.flatMap((dim, axis) => (axis > 0 && dim !== 1 ? [axis] : []))
    return axes.length === 1 ? (axes[0] ?? null) : null
  }

  #alongClasses(node: GraphNode): boolean {
    const [input = ''] = node.inputs
    const rank = shapeIn(this.#graph, input)?.length ?? 0
    const axis = intAttribute(node, 'axis') ?? -1
    return this.#classAxis(input) === (axis < 0 ? axis + rank : axis)
  }

  /** y where a tensor is e^y. */
  #exponent(name: string): string | null {
    const node = this.#maker(this.#plain(name))
    const [a = '', b = ''] = node?.inputs ?? []
    if (computes(node, 'exponential')) return a
    const base = computes(node, 'power') ? this.#number(a) : null
    return base !== null && Math.abs(base - Math.E) < 1e-6 ? b : null
  }

  #sumsClasses(node: GraphNode): boolean {
    const [input = '', axes = ''] = node.inputs
    const axis = this.#classAxis(input)
    const shape = shapeIn(this.#graph, input)
    const constant = this.#graph.constants.get(axes)
    if (axis === null || shape === null || constant === undefined) return false
    const summed = intsOf(constant).map((one) => (one < 0 ? one + shape.length : one))
    return summed.includes(axis) && summed.every((one) => one === axis || shape[one] === 1)
  }

  /** What a tensor sums over the classes. */
  #summed(name: string | undefined): string | null {
    if (name === undefined) return null
    let node = this.#maker(this.#unguarded(name))
    if (node && operatorOf(node).keeps === 'repeated') node = this.#maker(this.#unguarded(node.inputs[0] ?? ''))
    if (!computes(node, 'total') && !computes(node, 'total-of-sizes')) return null
    return this.#sumsClasses(node) ? (node.inputs[0] ?? null) : null
  }

  /** [a, b] where a node is a / b, also written a * (1 / b). */
  #quotient(node: GraphNode): readonly [string, string] | null {
    const [a = '', b = ''] = node.inputs
    if (computes(node, 'quotient')) return [a, b]
    if (!computes(node, 'product')) return null
    for (const [factor, other] of [
      [b, a],
      [a, b],
    ] as const) {
      const inverse = this.#inverted(factor)
      if (inverse !== null) return [other, inverse]
    }
    return null
  }

  /** b where a tensor is 1 / b. */
  #inverted(name: string): string | null {
    const node = this.#maker(this.#plain(name))
    const [a = '', b = ''] = node?.inputs ?? []
    if (computes(node, 'inverse')) return a
    if (computes(node, 'quotient') && this.#is(a, 1)) return b
    return computes(node, 'power') && this.#is(b, -1) ? a : null
  }

  /** e^x / sum of e^x, x with or without its maximum taken away. */
  #shares(node: GraphNode): FoundLink | null {
    let [own, total] = this.#quotient(node) ?? [null, null]
    if (total !== null) total = this.#summed(total)
    if (computes(node, 'share-of-norm') && intAttribute(node, 'p') === 1 && this.#alongClasses(node))
      own = total = node.inputs[0] ?? null
    if (own === null || total === null || this.#plain(own) !== this.#plain(total)) return null
    const exponent = this.#exponent(own)
    return exponent === null || this.#classAxis(own) === null
      ? null
      : { scores: this.#unshifted(exponent), link: 'softmax' }
  }

  /** x of x - m, where m is one number for all classes: no softmax changes by it. */
  #unshifted(name: string): string {
    for (let at = this.#plain(name); ;) {
      const node = this.#maker(at)
      const [a = '', b = ''] = node?.inputs ?? []
      if (!computes(node, 'difference') || !this.#sameForClasses(b, at)) return at
      at = this.#plain(a)
    }
  }

  #sameForClasses(name: string, beside: string): boolean {
    const [shape, whole] = [shapeIn(this.#graph, name), shapeIn(this.#graph, beside)]
    const axis = this.#classAxis(beside)
    if (shape === null || whole === null || axis === null) return false
    const own = axis - (whole.length - shape.length)
    return own < 0 || shape[own] === 1
  }

  /** sigmoid(-u) of u, which is of x where u = -x. */
  #opposite(u: string): FoundLink {
    const node = this.#maker(this.#plain(u))
    const [a = '', b = ''] = node?.inputs ?? []
    const link = 'sigmoid'
    if (computes(node, 'negative')) return { scores: a, link }
    if (computes(node, 'difference') && this.#is(a, 0)) return { scores: b, link }
    if (computes(node, 'product') && this.#is(b, -1)) return { scores: a, link }
    if (computes(node, 'product') && this.#is(a, -1)) return { scores: b, link }
    return { scores: u, link, negated: true }
  }

  /** 1 / (1 + e^-x), or e^x / (1 + e^x). */
  #logistic(node: GraphNode): FoundLink | null {
    const inverse = this.#inverted(node.outputs[0] ?? '')
    const [own, total] = inverse === null ? (this.#quotient(node) ?? ['', '']) : ['', inverse]
    const sum = this.#maker(this.#plain(total))
    const [a = '', b = ''] = sum?.inputs ?? []
    if (!computes(sum, 'sum') || !(this.#is(a, 1) || this.#is(b, 1))) return null
    const power = this.#is(a, 1) ? b : a
    const exponent = this.#exponent(power)
    if (exponent === null) return null
    if (inverse !== null) return this.#opposite(exponent)
    return this.#plain(own) === this.#plain(power) ? { scores: exponent, link: 'sigmoid' } : null
  }

  /** [other operand, number] of a product, a quotient by a number, or a sum. */
  #with(name: string, operation: 'scale' | 'sum'): readonly [string, number] | null {
    const node = this.#maker(this.#plain(name))
    const [a = '', b = ''] = node?.inputs ?? []
    const [left, right] = [this.#number(a), this.#number(b)]
    if (operation === 'scale' && computes(node, 'quotient') && right !== null) return [a, 1 / right]
    if (!computes(node, operation === 'scale' ? 'product' : operation)) return null
    return right === null ? (left === null ? null : [b, left]) : [a, right]
  }

  /** (1 + tanh(x / 2)) / 2 */
  #fromTanh(node: GraphNode): FoundLink | null {
    const name = node.outputs[0] ?? ''
    const scaled = this.#with(name, 'scale')
    const shifted = this.#with(scaled?.[0] ?? name, 'sum')
    const inner = scaled === null ? this.#with(shifted?.[0] ?? '', 'scale') : null
    const half =
      scaled === null ? inner?.[1] === HALF && shifted?.[1] === HALF : scaled[1] === HALF && shifted?.[1] === 1
    const curve = this.#maker(this.#plain((scaled === null ? inner?.[0] : shifted?.[0]) ?? ''))
    if (!half || !computes(curve, 'tanh')) return null
    const argument = this.#with(curve.inputs[0] ?? '', 'scale')
    return argument?.[1] === HALF ? { scores: argument[0], link: 'sigmoid' } : null
  }

  /** [1 - p, p] or [p, 1 - p] of the p of one score. */
  #complements(node: GraphNode): FoundLink | null {
    if (operatorOf(node).kind !== 'concat' || node.inputs.length !== 2) return null
    const [first = '', second = ''] = node.inputs
    for (const [one, rest, beside] of [
      [second, first, 1],
      [first, second, 0],
    ] as const) {
      const difference = this.#maker(this.#plain(rest))
      const [a = '', b = ''] = difference?.inputs ?? []
      if (!computes(difference, 'difference') || !this.#is(a, 1) || this.#plain(b) !== this.#plain(one)) continue
      const found = this.probability(one)
      if (found?.link === 'sigmoid' && this.#classAxis(one) === null && this.#classAxis(node.outputs[0] ?? '') !== null)
        return { ...found, beside }
    }
    return null
  }
}

/** The scores that a link makes this output of, and which link; null where the graph shows none. */
export function findLink(graph: Graph, output: string): FoundLink | null {
  const read = new LinkReader(graph)
  return read.probability(output) ?? read.logarithm(output)
}
