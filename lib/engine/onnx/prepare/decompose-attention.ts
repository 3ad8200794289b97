/** Fused attention of optimised exports, written out. N rows, T queries, S keys, E features, H heads of D features. */
import type { Decomposition, Expansion } from './expansion.ts'
import { floatAttribute, intAttribute, intsAttribute, shapeIn } from '../graph/graph.ts'

/** Multi-head self attention on one packed projection; x [N, T, E], weights [E, 3 H D]. */
export const attention: Decomposition = (at) => {
  const { node } = at
  const [x, weights, bias, mask, past, attentionBias] = [0, 1, 2, 3, 4, 5].map((index) => at.input(index)) as [
    string, string, string, string, string, string,
  ] // prettier-ignore
  if (past !== '' || (node.outputs[1] ?? '') !== '')
    return at.refuse('with a past: export the model without a cache, use_cache=False')
  const heads = intAttribute(node, 'num_heads') ?? 1
  const packed = shapeIn(at.graph, weights)?.[1]
  const sizes =
    intsAttribute(node, 'qkv_hidden_sizes') ?? (typeof packed === 'number' ? [packed / 3, packed / 3, packed / 3] : [])
  const [querySize = 0, , valueSize = 0] = sizes
  if (querySize === 0) return at.refuse('its weights have no fixed size')
  const product = at.op('MatMul', [x, weights])
  const projected = bias === '' ? product : at.op('Add', [product, bias])
  const [query, key, value] = at.split(projected, sizes, -1).map((part, index) => {
    const depth = (sizes[index] ?? 0) / heads
    return at.op(
      'Transpose',
      [at.op('Reshape', [part, at.ints([0, 0, heads, depth])])],
      perm(index === 1 ? [0, 2, 3, 1] : [0, 2, 1, 3]),
    )
  }) as [string, string, string]
  const scale = floatAttribute(node, 'scale') || 1 / Math.sqrt(querySize / heads)
  attend(at, { query, key, value, scale, valueSize, mask, attentionBias, sequence: x })
}

interface Heads {
  /** [N, H, T, D] */
  readonly query: string
  /** [N, H, D, S] */
  readonly key: string
  /** [N, H, S, D] */
  readonly value: string
  readonly scale: number
  readonly valueSize: number
  readonly mask: string
  readonly attentionBias: string
  /** A tensor [N, S, ...]. */
  readonly sequence: string
}

/** softmax(scale query key + masks) value, the heads side by side: the node's output [N, T, H D]. */
function attend(at: Expansion, heads: Heads): void {
  const { query, key, value, mask, attentionBias, sequence } = heads
  let scores = at.op('Mul', [at.op('MatMul', [query, key]), at.float(heads.scale)]) // [N, H, T, S]
  if (mask !== '') scores = at.op('Add', [scores, maskBias(at, mask, sequence)])
  if (intAttribute(at.node, 'unidirectional')) scores = at.op('Add', [scores, causalBias(at, sequence)])
  if (attentionBias !== '') scores = at.op('Add', [scores, attentionBias])
  const weighted = at.op('MatMul', [at.op('Softmax', [scores], { axis: -1 }), value])
  const places = at.op('Transpose', [weighted], perm([0, 2, 1, 3]))
  at.op('Reshape', [places, at.ints([0, 0, heads.valueSize])], {}, at.node.outputs[0])
}

const perm = (value: readonly number[]): { readonly perm: readonly number[] } => ({ perm: value })

/** Attention on separate queries [N, T, E], keys [N, S, E] and values [N, S, F], each with its part of one bias. */
export const multiHeadAttention: Decomposition = (at) => {
  const { node, graph } = at
  const [q, k, v, bias, mask, attentionBias] = [0, 1, 2, 3, 4, 5].map((index) => at.input(index)) as [
    string, string, string, string, string, string,
  ] // prettier-ignore
  if (at.input(6) !== '' || at.input(7) !== '' || at.isRead(1) || at.isRead(2))
    return at.refuse('with a past: export the model without a cache, use_cache=False')
  if (at.isRead(3)) return at.refuse('its scores are read')
  const shapes = [q, k, v].map((name) => shapeIn(graph, name))
  const sizes = shapes.map((shape) => (shape?.length === 3 ? shape[2] : undefined))
  const [querySize, keySize, valueSize] = sizes
  if (typeof querySize !== 'number' || typeof keySize !== 'number' || typeof valueSize !== 'number')
    return at.refuse('its queries, keys and values are not three tensors of three axes and fixed sizes')
  const [queries, keys] = shapes.map((shape) => shape?.[1])
  if (intAttribute(node, 'unidirectional') && (queries === null || queries !== keys))
    return at.refuse('it is causal, and there are not as many keys as queries')
  const heads = intAttribute(node, 'num_heads') ?? 1
  const biases = bias === '' ? [] : at.split(bias, [querySize, keySize, valueSize], 0)
  const [query, key, value] = [q, k, v].map((name, index) => {
    const one = biases[index]
    const part = one === undefined ? name : at.op('Add', [name, one])
    const depth = (sizes[index] as number) / heads
    const split = at.op('Reshape', [part, at.ints([0, 0, heads, depth])])
    return at.op('Transpose', [split], perm(index === 1 ? [0, 2, 3, 1] : [0, 2, 1, 3]))
  }) as [string, string, string]
  const scale = floatAttribute(node, 'scale') || 1 / Math.sqrt(querySize / heads)
  attend(at, { query, key, value, scale, valueSize, mask, attentionBias, sequence: k })
}

/** 0 where a key may be seen, the node's filter value where not: [N, 1, 1, T] or [N, 1, T, T]. */
function maskBias(at: Expansion, mask: string, x: string): string {
  const rank = shapeIn(at.graph, mask)?.length
  let open = mask
  if (rank === 1) {
    // Lengths: a key is open while its place is below its row's length.
    const length = at.op('Squeeze', [at.op('Shape', [x], { start: 1, end: 2 }), at.ints([0])])
    const zero = at.op('Squeeze', [at.ints([0]), at.ints([0])])
    const step = at.op('Squeeze', [at.ints([1]), at.ints([0])])
    const places = at.op('Cast', [at.op('Range', [zero, length, step])], { to: 6 })
    open = at.op('Less', [places, at.op('Unsqueeze', [at.op('Cast', [mask], { to: 6 }), at.ints([1])])])
  }
  const closed = at.op('Sub', [at.float(1), at.op('Cast', [open], { to: 1 })])
  const bias = at.op('Mul', [closed, at.float(floatAttribute(at.node, 'mask_filter_value') ?? -10000)])
  if (rank === 4) return bias
  return at.op('Unsqueeze', [bias, at.ints(rank === 3 ? [1] : [1, 2])])
}

const LOWEST = -(2 - 2 ** -23) * 2 ** 127

/** The lowest number above the diagonal, whatever the node's filter value: [T, T]. */
function causalBias(at: Expansion, x: string): string {
  const length = at.op('Shape', [x], { start: 1, end: 2 })
  const filter = at.float(LOWEST)
  const square = at.op('Expand', [filter, at.op('Concat', [length, length], { axis: 0 })])
  const first = at.op('Squeeze', [at.ints([1]), at.ints([0])])
  return at.op('Trilu', [square, first], { upper: 1 })
}

/**
 * x cos + turned(x) sin over the first features of each head, the rest as it is: x [N, T, E] or [N, H, T, D], the caches
 * [places, half of the turned features].
 */
export const rotaryEmbedding: Decomposition = (at) => {
  const { node, graph } = at
  const [x, places, cosines, sines] = [0, 1, 2, 3].map((index) => at.input(index)) as [string, string, string, string]
  const rank = shapeIn(graph, x)?.length
  const half = shapeIn(graph, cosines)?.[1]
  if (typeof half !== 'number' || (rank !== 3 && rank !== 4)) return at.refuse('its shapes are unknown')
  if (shapeIn(graph, places)?.length !== 2) return at.refuse('its places are one offset and not a place a token')
  const heads = intAttribute(node, 'num_heads') ?? 0
  const features = shapeIn(graph, x)?.at(-1)
  if (typeof features !== 'number') return at.refuse('its features are not of a fixed size')
  const turned = 2 * half
  const depth = rank === 4 ? features : heads > 0 ? features / heads : turned
  const split =
    rank === 4 ? x : at.op('Transpose', [at.op('Reshape', [x, at.ints([0, 0, -1, depth])])], perm([0, 2, 1, 3]))
  const [first = '', rest] = depth === turned ? [split] : at.split(split, [turned, depth - turned], -1)
  const [cos, sin] = [cosines, sines].map((cache) =>
    at.op('Unsqueeze', [at.op('Gather', [cache, places], { axis: 0 }), at.ints([1])]),
  ) as [string, string] // [N, 1, T, half]
  const result = intAttribute(node, 'interleaved')
    ? rotatedPairs(at, first, cos, sin, half)
    : at.op('Concat', rotated(at, at.split(first, [half, half], -1), cos, sin), { axis: -1 })
  const whole = rest === undefined ? result : at.op('Concat', [result, rest], { axis: -1 })
  const output = node.outputs[0] ?? ''
  if (rank === 4) at.op('Identity', [whole], {}, output)
  else at.op('Reshape', [at.op('Transpose', [whole], perm([0, 2, 1, 3])), at.ints([0, 0, features])], {}, output)
}

/** (a cos - b sin, a sin + b cos) */
function rotated(at: Expansion, [a = '', b = '']: readonly string[], cos: string, sin: string): [string, string] {
  const times = (one: string, other: string): string => at.op('Mul', [one, other])
  return [at.op('Sub', [times(a, cos), times(b, sin)]), at.op('Add', [times(a, sin), times(b, cos)])]
}

/** The same where a and b are neighbours: x [N, H, T, 2 half]. */
function rotatedPairs(at: Expansion, x: string, cos: string, sin: string, half: number): string {
  const last = at.ints([-1])
  const pairs = at.op('Reshape', [
    x,
    at.op('Concat', [at.op('Shape', [x], { end: -1 }), at.ints([half, 2])], { axis: 0 }),
  ])
  const sides = at.split(pairs, [1, 1], -1).map((side) => at.op('Squeeze', [side, last]))
  const turned = rotated(at, sides, cos, sin).map((side) => at.op('Unsqueeze', [side, last]))
  return at.op('Reshape', [at.op('Concat', turned, { axis: -1 }), at.op('Shape', [x])])
}
