/** The operator Attention of opset 23 as what it computes: [N, H, T, D] queries, [N, H, S, D] keys and values. */
import { DataType, floatAttribute, intAttribute, shapeIn, typeIn, type Attribute } from '../graph/graph.ts'
import type { Decomposition, Expansion } from './expansion.ts'

/** Below every score: what a masked score becomes before the softmax, as the operator's gradient rule has it. */
const MASKED = -3.4028234663852886e38

const perm = (value: readonly number[]): Record<string, Attribute> => ({ perm: { kind: 'ints', value } })

/** [N, T, H D] -> [N, H, T, D]; four axes stay. */
function heads(at: Expansion, place: number, count: number, rank: number): string {
  if (rank === 4) return at.input(place)
  return at.op('Transpose', [at.op('Reshape', [at.input(place), at.ints([0, 0, count, -1])])], perm([0, 2, 1, 3]))
}

function masked(at: Expansion, scores: string, query: string, key: string): string {
  let result = scores
  const mask = at.input(3)
  if (mask !== '' && typeIn(at.graph, mask) === DataType.bool) result = at.op('Where', [mask, result, at.float(MASKED)])
  else if (mask !== '') result = at.op('Max', [at.op('Add', [result, mask]), at.float(MASKED)])
  if ((intAttribute(at.node, 'is_causal') ?? 0) === 0) return result
  const positions = (name: string): string => {
    const extent = at.op('Squeeze', [at.op('Shape', [name], { start: 2, end: 3 }), at.ints([0])])
    const [from, step] = [0, 1].map((value) => at.op('Squeeze', [at.ints([value]), at.ints([0])])) as [string, string]
    return at.op('Range', [from, extent, step])
  }
  const earlier = at.op('Unsqueeze', [positions(query), at.ints([1])])
  return at.op('Where', [at.op('LessOrEqual', [positions(key), earlier]), result, at.float(MASKED)])
}

/** Each head beside itself, `times` times: [N, H, S, D] -> [N, H times, S, D]. */
function repeated(at: Expansion, name: string, count: number, times: number): string {
  if (times === 1) return name
  const beside = at.op('Tile', [at.op('Unsqueeze', [name, at.ints([2])]), at.ints([1, 1, times, 1, 1])])
  const extents = at.op('Shape', [name], { start: 2 })
  return at.op('Reshape', [beside, at.op('Concat', [at.ints([0, count * times]), extents], { axis: 0 })])
}

/** What the weights [N, H, T, S] are called where the attention that makes `output` is written out for them. */
export const weightsOf = (output: string): string => `${output}/weights`

/** 0 for a query that no key is open to, as the operator has it. */
function named(at: Expansion, scores: string, name: string): string {
  if (at.input(3) === '') return at.op('Softmax', [scores], { axis: -1 }, name)
  const largest = at.op('ReduceMax', [scores, at.ints([-1])], { keepdims: 1 }) // [N, H, T, 1]
  const open = at.op('Greater', [largest, at.float(MASKED)])
  return at.op('Where', [open, at.op('Softmax', [scores], { axis: -1 }), at.float(0)], {}, name)
}

export const attentionFunction: Decomposition = (at) => {
  written(at, (scores) => at.op('Softmax', [scores], { axis: -1 }))
}

/** The same with its weights under a name ({@link weightsOf}). */
export const openAttention: Decomposition = (at) => {
  written(at, (scores) => named(at, scores, weightsOf(at.node.outputs[0] ?? '')))
}

/** A tensor [N * heads, T, S] with its heads on an axis of their own under a name ({@link weightsOf}), and folded again. */
export const unfoldHeads =
  (heads: number): Decomposition =>
  (at) => {
    const [whole = '', ...others] = at.node.outputs
    const folded = `${whole}/folded`
    at.put({ ...at.node, outputs: [folded, ...others] })
    const extents = at.op('Shape', [folded], { start: 1 })
    const target = at.op('Concat', [at.ints([-1, heads]), extents], { axis: 0 })
    const weights = at.op('Reshape', [folded, target], {}, weightsOf(whole))
    at.op('Reshape', [weights, at.op('Shape', [folded])], {}, whole)
  }

function written(at: Expansion, weigh: (scores: string) => string): void {
  const { node, graph } = at
  if (node.inputs.slice(4).some((name) => name !== '') || node.outputs.slice(1).some((name) => name !== ''))
    at.refuse('with cached keys and lengths, or its scores read')
  if ((floatAttribute(node, 'softcap') ?? 0) !== 0) at.refuse('with a softcap')
  const [rank, keys] = [0, 1].map((place) => shapeIn(graph, at.input(place)))
  const counts = [rank, keys].map((shape, place) =>
    shape?.length === 4 ? shape[1] : intAttribute(node, place === 0 ? 'q_num_heads' : 'kv_num_heads'),
  )
  const [count, keyCount] = counts
  if (!rank || typeof count !== 'number') return at.refuse('its heads are not counted')
  const group = typeof keyCount === 'number' ? count / keyCount : 0
  if (group < 1 || !Number.isInteger(group)) return at.refuse('its heads are not so many for each head of its keys')
  const query = heads(at, 0, count, rank.length)
  const [key = '', value = ''] = [1, 2].map((place) =>
    repeated(at, heads(at, place, count / group, rank.length), count / group, group),
  )
  const width = at.op('Cast', [at.op('Shape', [query], { start: 3 })], { to: DataType.float })
  const given = floatAttribute(node, 'scale')
  const scale = given === undefined ? at.op('Reciprocal', [at.op('Sqrt', [width])]) : at.float(given)
  const product = at.op('MatMul', [query, at.op('Transpose', [key], perm([0, 1, 3, 2]))])
  const scores = masked(at, at.op('Mul', [product, scale]), query, key)
  const weights = weigh(scores)
  const output = node.outputs[0] ?? ''
  if (rank.length === 4) at.op('MatMul', [weights, value], {}, output)
  else {
    const places = at.op('Transpose', [at.op('MatMul', [weights, value])], perm([0, 2, 1, 3]))
    at.op('Reshape', [places, at.ints([0, 0, -1])], {}, output)
  }
}
