/** Gradient rule of scaled dot-product attention, the operator of opset 23 that dynamo writes for it. */
import type { Builder } from '../../graph/builder.ts'
import { DataType, floatAttribute, intAttribute, type Dim, type GraphNode } from '../../graph/graph.ts'
import { firstOf, input, output, ranksOf, type Refusal, type RuleEntry } from './rule.ts'

/** Below every score: what a masked score becomes before the softmax. */
const MASKED = -3.4028234663852886e38

/** [N, T, heads * E] -> [N, heads, T, E]; four axes stay. */
function splitHeads(build: Builder, name: string, heads: number, rank: number): string {
  if (rank === 4) return name
  return build.transpose(build.reshape(name, build.ints([0, 0, heads, -1])), [0, 2, 1, 3])
}

/** [N, heads, T, E] -> [N, T, heads * E] where the operand came so. */
function mergeHeads(build: Builder, name: string, rank: number): string {
  if (rank === 4) return name
  return build.reshape(build.transpose(name, [0, 2, 1, 3]), build.ints([0, 0, -1]))
}

/** Each key or value head beside itself, `group` times: [N, H, S, E] -> [N, H * group, S, E]. */
function repeatHeads(build: Builder, name: string, heads: number, group: number): string {
  if (group === 1) return name
  const repeated = build.op('Tile', [build.unsqueeze(name, [2]), build.ints([1, 1, group, 1, 1])])
  const width = build.op('Shape', [name], { start: 2 })
  return build.reshape(repeated, build.op('Concat', [build.ints([0, heads * group]), width], { axis: 0 }))
}

/** The transpose of {@link repeatHeads}: [N, H * group, S, E] -> [N, H, S, E], summed over each group. */
function sumHeads(build: Builder, name: string, heads: number, group: number): string {
  if (group === 1) return name
  const width = build.op('Shape', [name], { start: 2 })
  const grouped = build.reshape(name, build.op('Concat', [build.ints([0, heads, group]), width], { axis: 0 }))
  return build.sum(grouped, [2], false)
}

/** 0, 1, ... along one axis of a tensor. */
function positions(build: Builder, name: string, axis: number): string {
  return build.op('Range', [build.int(0), build.squeeze(build.extentOf(name, axis), [0]), build.int(1)])
}

/** 1 / sqrt(E) of [N, heads, T, E]: the scale where none is given. */
function inverseRoot(build: Builder, query: string): string {
  const width = build.op('Shape', [query], { start: 3 })
  return build.op('Reciprocal', [build.op('Sqrt', [build.cast(width, DataType.float)])])
}

/** [N, heads, T, S]: the scaled scores behind the masks, none below {@link MASKED}. */
function maskedScores(build: Builder, node: GraphNode, query: string, key: string, scale: string): string {
  let scores = build.mul(build.matMul(query, build.transpose(key, [0, 1, 3, 2])), scale)
  const mask = input(node, 3)
  if (mask !== '') {
    if (build.type(mask) === DataType.bool) scores = build.where(mask, scores, build.float(MASKED))
    else scores = build.op('Max', [build.add(scores, mask), build.float(MASKED)])
  }
  if ((intAttribute(node, 'is_causal') ?? 0) === 1) {
    const [later, earlier] = [positions(build, key, 2), build.unsqueeze(positions(build, query, 2), [1])]
    scores = build.where(build.op('LessOrEqual', [later, earlier]), scores, build.float(MASKED))
  }
  return scores
}

function refusesVariant(node: GraphNode, build: Builder): ReturnType<Refusal> {
  if (node.inputs.slice(4).some((name) => name !== '')) return 'cached keys and lengths have no gradient rule'
  if ((floatAttribute(node, 'softcap') ?? 0) !== 0) return 'softcap has no gradient rule'
  const heads = ['q_num_heads', 'kv_num_heads'].map((name) => intAttribute(node, name))
  const counted = build.shape(input(node, 0))?.length === 4 || !heads.includes(undefined)
  return counted ? null : 'three axes need q_num_heads and kv_num_heads'
}

/**
 * Y = P V, P = softmax(s Q Kᵀ + mask): with dS = P (g Vᵀ - rowsum(g Y)),
 * dQ = s dS K, dK = s dSᵀ Q, dV = Pᵀ g. Keys and values with fewer heads than queries are summed over each group.
 * A query that no key is open to gives 0 and has no gradient, as in PyTorch.
 */
export const attention: RuleEntry = {
  refuses: firstOf(ranksOf(0, 1), refusesVariant),
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const [q, k, v] = [input(node, 0), input(node, 1), input(node, 2)]
    const rank = build.shapeFor(node, q).length
    const headsOf = (name: string, attribute: string): Dim | undefined =>
      rank === 4 ? build.shapeFor(node, name)[1] : intAttribute(node, attribute)
    const [known, knownKey] = [headsOf(q, 'q_num_heads'), headsOf(k, 'kv_num_heads')]
    const fixed = typeof known === 'number' && typeof knownKey === 'number'
    // Heads whose number is open are as many for keys as for queries: no exporter groups what it does not count.
    const [heads, keyHeads] = fixed ? [known, knownKey] : [1, 1]
    const group = heads / keyHeads
    const query = splitHeads(build, q, heads, rank)
    const key = repeatHeads(build, splitHeads(build, k, keyHeads, rank), keyHeads, group)
    const value = repeatHeads(build, splitHeads(build, v, keyHeads, rank), keyHeads, group)
    const given = floatAttribute(node, 'scale')
    const scale = given === undefined ? inverseRoot(build, query) : build.float(given)

    const masked = maskedScores(build, node, query, key, scale)
    const weight = build.op('Softmax', [masked], { axis: -1 })
    let cotangent = splitHeads(build, g, heads, rank) // [N, heads, T, E]
    if (input(node, 3) !== '') {
      const largest = build.op('ReduceMax', [masked, build.ints([-1])], { keepdims: 1 }) // [N, heads, T, 1]
      cotangent = build.keep(cotangent, build.op('Greater', [largest, build.float(MASKED)]))
    }
    const back = (name: string): string => mergeHeads(build, sumHeads(build, name, keyHeads, group), rank)
    const product = build.matMul(cotangent, build.transpose(value, [0, 1, 3, 2])) // [N, heads, T, S]
    const row = build.sum(build.mul(cotangent, splitHeads(build, output(node), heads, rank)), [-1], true)
    const scores = build.mul(weight, build.sub(product, row))
    const scaled = build.mul(scores, scale)
    return [
      wanted[0] ? mergeHeads(build, build.matMul(scaled, key), rank) : null,
      wanted[1] ? back(build.matMul(build.transpose(scaled, [0, 1, 3, 2]), query)) : null,
      wanted[2] ? back(build.matMul(build.transpose(weight, [0, 1, 3, 2]), cotangent)) : null,
      wanted[3] ? build.sumTo(scores, null, input(node, 3)) : null,
    ]
  },
}
