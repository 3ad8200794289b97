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

export const attentionFunction: Decomposition = (at) => {
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
  if (count !== keyCount) at.refuse('its keys have fewer heads than its queries')
  const [query = '', key = '', value = ''] = [0, 1, 2].map((place) => heads(at, place, count, rank.length))
  const width = at.op('Cast', [at.op('Shape', [query], { start: 3 })], { to: DataType.float })
  const given = floatAttribute(node, 'scale')
  const scale = given === undefined ? at.op('Reciprocal', [at.op('Sqrt', [width])]) : at.float(given)
  const product = at.op('MatMul', [query, at.op('Transpose', [key], perm([0, 1, 3, 2]))])
  const scores = masked(at, at.op('Mul', [product, scale]), query, key)
  const weights = at.op('Softmax', [scores], { axis: -1 })
  const output = node.outputs[0] ?? ''
  if (rank.length === 4) at.op('MatMul', [weights, value], {}, output)
  else {
    const places = at.op('Transpose', [at.op('MatMul', [weights, value])], perm([0, 2, 1, 3]))
    at.op('Reshape', [places, at.ints([0, 0, -1])], {}, output)
  }
}
