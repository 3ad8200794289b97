/** Gradient rules of operators that read by index: what was read often gets the sum. */
import { placeOf, type Builder } from '../../graph/builder.ts'
import { DataType, intAttribute, textAttribute, type GraphNode } from '../../graph/graph.ts'
import { scatterAlong } from './scatter.ts'
import { input, ranksOf, type Refusal, type RuleEntry } from './rule.ts'

export const gather: RuleEntry = {
  refuses: ranksOf(0, 1),
  rule: (node, [g], build) => {
    if (!g) return []
    const [x, indices] = [input(node, 0), input(node, 1)]
    const rank = build.shapeFor(node, x).length
    const axis = placeOf(intAttribute(node, 'axis') ?? 0, rank)
    const indexRank = build.shapeFor(node, indices).length
    const [index] = build.intsIn(indices) ?? []
    const extent = build.shape(x)?.[axis]
    if (indexRank === 0 && index !== undefined && (index >= 0 || typeof extent === 'number')) {
      // One place: zeros before and behind it.
      const place = index < 0 ? index + (extent as number) : index
      const wide = build.unsqueeze(g, [axis])
      // Pads for every axis: ONNX Runtime's transpose optimiser forgets a Pad's `axes`.
      const before = new Array<number>(rank).fill(0)
      before[axis] = place
      if (typeof extent === 'number') {
        const behind = before.map((_, one) => (one === axis ? extent - 1 - place : 0))
        return [build.op('Pad', [wide, build.ints([...before, ...behind])])]
      }
      const behind = build.sub(build.extentOf(x, axis), build.ints([place + 1]))
      const pads = [build.ints([...before, ...before.slice(0, axis)]), behind]
      if (axis < rank - 1) pads.push(build.ints(before.slice(axis + 1)))
      return [build.op('Pad', [wide, build.op('Concat', pads, { axis: 0 })])]
    }
    // [.., indices' axes, ..] -> one axis of all places.
    const long = build.type(indices) === DataType.int64 ? indices : build.cast(indices, DataType.int64)
    const places = indexRank === 1 ? long : build.reshape(long, build.ints([-1]))
    let rows = g
    if (indexRank !== 1) {
      const part = (from: number, to: number): string =>
        build.op('Slice', [build.shapeOf(x), build.ints([from]), build.ints([to])])
      const shape = [
        ...(axis > 0 ? [part(0, axis)] : []),
        build.ints([-1]),
        ...(axis < rank - 1 ? [part(axis + 1, rank)] : []),
      ]
      rows = build.reshape(g, build.op('Concat', shape, { axis: 0 }))
    }
    return [scatterAlong(build, rows, places, axis, rank, build.extentOf(x, axis))]
  },
}

export const gatherElements: RuleEntry = {
  rule: (node, [g], build) => {
    if (!g) return []
    const [x, indices] = [input(node, 0), input(node, 1)]
    const axis = intAttribute(node, 'axis') ?? 0
    return [build.op('ScatterElements', [build.zerosLike(x), indices, g], { axis, reduction: 'add' })]
  },
}

/** Reading the places of every element the same way says where each cotangent belongs, whatever the batch axes. */
export const gatherND: RuleEntry = {
  rule: (node, [g], build) => {
    if (!g) return []
    const x = input(node, 0)
    const flat = build.ints([-1])
    const size = build.op('Size', [x])
    const numbers = build.reshapeLike(build.op('Range', [build.int(0), size, build.int(1)]), x)
    const places = build.op('GatherND', [numbers, input(node, 1)], {
      batch_dims: intAttribute(node, 'batch_dims') ?? 0,
    })
    const zeros = build.op('Expand', [build.float(0), build.unsqueeze(size, [0])])
    const added = build.op('ScatterElements', [zeros, build.reshape(places, flat), build.reshape(g, flat)], {
      axis: 0,
      reduction: 'add',
    })
    return [build.reshapeLike(added, x)]
  },
}

/** The values of the k largest: the rest has no gradient. At a tie, the one that TopK chose. */
export const topK: RuleEntry = {
  rule: (node, [g], build) => {
    if (!g) return []
    const x = input(node, 0)
    const axis = intAttribute(node, 'axis') ?? -1
    let indices = node.outputs[1] ?? ''
    if (indices === '') {
      indices = `${node.outputs[0] ?? ''}/limelight-places`
      build.copy(node, { outputs: [`${indices}-values`, indices] })
    }
    return [build.op('ScatterElements', [build.zerosLike(x), indices, g], { axis })]
  },
}

type Reduction = 'none' | 'add' | 'mul'

/** How one of the two operators writes into a tensor and reads from the same places. */
interface Places {
  readonly write: (into: string, values: string, reduction: Reduction) => string
  readonly read: (from: string) => string
}

const REDUCTIONS: ReadonlySet<string> = new Set<Reduction>(['none', 'add', 'mul'])

function reductionOf(node: GraphNode): string {
  return textAttribute(node, 'reduction') ?? 'none'
}

const refusesReduction: Refusal = (node) =>
  REDUCTIONS.has(reductionOf(node)) ? null : `the reduction "${reductionOf(node)}" has no gradient rule`

/**
 * y = x with updates u written at places: overwritten (what was there has no gradient), added, or multiplied:
 * y = x Π u, so dx = g Π u and du = g x times the product of the other updates of its place.
 */
function scatter(places: (node: GraphNode, build: Builder) => Places): RuleEntry {
  return {
    refuses: refusesReduction,
    rule: (node, [g], build, wanted) => {
      if (!g) return []
      const [x, , updates] = [input(node, 0), input(node, 1), input(node, 2)]
      const { write, read } = places(node, build)
      const reduction = reductionOf(node)
      if (reduction !== 'mul') {
        const kept = (): string => (reduction === 'add' ? g : write(g, build.zerosLike(updates), 'none'))
        return [wanted[0] ? kept() : null, null, wanted[2] ? read(g) : null]
      }
      const ones = build.op('Expand', [build.float(1), build.shapeOf(x)])
      return [
        wanted[0] ? build.mul(g, write(ones, updates, 'mul')) : null,
        null,
        wanted[2] ? build.mul(read(build.mul(g, x)), productOfOthers(build, ones, updates, x, { write, read })) : null,
      ]
    },
  }
}

/** Without dividing by zero: a place with one zero has a product for that one alone, with two it has none. */
function productOfOthers(build: Builder, ones: string, updates: string, x: string, { write, read }: Places): string {
  const isZero = build.op('Equal', [updates, build.float(0)])
  const filled = build.where(isZero, build.float(1), updates)
  const product = read(write(ones, filled, 'mul'))
  const zeros = read(write(build.zerosLike(x), build.cast(isZero, DataType.float), 'add'))
  const othersHaveNone = build.op('Equal', [zeros, build.cast(isZero, DataType.float)])
  return build.keep(build.div(product, filled), othersHaveNone)
}

export const scatterElements = scatter((node, build) => {
  const [axis, indices] = [intAttribute(node, 'axis') ?? 0, input(node, 1)]
  return {
    write: (into, values, reduction) => build.op('ScatterElements', [into, indices, values], { axis, reduction }),
    read: (from) => build.op('GatherElements', [from, indices], { axis }),
  }
})
export const scatterND = scatter((node, build) => {
  const indices = input(node, 1)
  return {
    write: (into, values, reduction) => build.op('ScatterND', [into, indices, values], { reduction }),
    read: (from) => build.op('GatherND', [from, indices]),
  }
})
