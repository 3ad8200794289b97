/** Gradient rules of operators that only move values: reshapes, transposes, joins, cuts, padding. */
import { placeOf, type Builder } from '../../graph/builder.ts'
import { intAttribute, intsAttribute, type GraphNode } from '../../graph/graph.ts'
import { padAxis, scatterAlong } from './scatter.ts'
import { constantAt, firstOf, input, output, ranksOf, unary, type RuleEntry } from './rule.ts'

/** Reshape, Flatten, Squeeze, Unsqueeze: the cotangent in the input's shape. */
export const reshape = unary((build, x, y, g) => build.reshapeLike(g, x, y))

export const transpose: RuleEntry = {
  refuses: (node, build) => (intsAttribute(node, 'perm') ? null : ranksOf(0)(node, build)),
  rule: (node, [g], build) => {
    if (!g) return []
    const perm =
      intsAttribute(node, 'perm') ??
      build
        .shapeFor(node, input(node, 0))
        .map((_, axis) => axis)
        .reverse()
    return [
      build.transpose(
        g,
        perm.map((_, axis) => perm.indexOf(axis)),
      ),
    ]
  },
}

export const expand: RuleEntry = {
  rule: (node, [g], build) => (g ? [build.sumTo(g, build.shape(output(node)), input(node, 0))] : []),
}

/** Repeats along each axis: the copies' cotangents are summed. */
export const tile: RuleEntry = {
  refuses: ranksOf(0),
  rule: (node, [g], build) => {
    if (!g) return []
    const x = input(node, 0)
    const rank = build.shapeFor(node, x).length
    // [r0, d0, r1, d1, ...], then summed over every r.
    const pairs = Array.from({ length: rank }, (_, axis) => [
      build.op('Gather', [input(node, 1), build.ints([axis])], { axis: 0 }),
      build.extentOf(x, axis),
    ]).flat()
    const split = build.reshape(g, build.op('Concat', pairs, { axis: 0 }))
    return [
      build.sum(
        split,
        Array.from({ length: rank }, (_, axis) => 2 * axis),
        false,
      ),
    ]
  },
}

export const concat: RuleEntry = {
  refuses: ranksOf(0),
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const axis = placeOf(intAttribute(node, 'axis') ?? 0, build.shapeFor(node, input(node, 0)).length)
    const extents = node.inputs.map((name) => build.shape(name)?.at(axis))
    if (node.inputs.length === 1) return [g]
    const sizes = extents.every((dim) => typeof dim === 'number')
      ? build.ints(extents)
      : build.op(
          'Concat',
          node.inputs.map((name) => build.extentOf(name, axis)),
          { axis: 0 },
        )
    const parts = build.ops('Split', [g, sizes], { axis }, node.inputs.length)
    return parts.map((part, index) => (wanted[index] ? part : null))
  },
}

export const split: RuleEntry = {
  outputs: Infinity,
  rule: (node, cotangents, build) => {
    const axis = intAttribute(node, 'axis') ?? 0
    const parts = node.outputs.map((name, index) => cotangents[index] ?? build.zerosLike(name))
    return [parts.length === 1 ? (parts[0] ?? null) : build.op('Concat', parts, { axis })]
  },
}

/** Cuts with step 1 are undone by padding; others by scattering to the places they came from. */
export const slice: RuleEntry = {
  refuses: firstOf(ranksOf(0), constantAt(3, 'axes')),
  rule: (node, [g], build) => {
    if (!g) return []
    const x = input(node, 0)
    const rank = build.shapeFor(node, x).length
    const starts = build.intsIn(input(node, 1))
    const cuts = starts?.length ?? build.shape(input(node, 1))?.[0]
    const first = Array.from({ length: typeof cuts === 'number' ? cuts : rank }, (_, axis) => axis)
    const axes = build.intsIn(input(node, 3)) ?? first
    const steps = input(node, 4) === '' ? axes.map(() => 1) : build.intsIn(input(node, 4))
    const ends = build.intsIn(input(node, 2))
    let gradient = g
    for (const [index, given] of axes.entries()) {
      const axis = placeOf(given, rank)
      const extent = build.shape(x)?.[axis]
      const [start, end, step] = [starts?.[index], ends?.[index], steps?.[index]]
      if (start !== undefined && end !== undefined && step === 1 && typeof extent === 'number') {
        const clamp = (place: number): number => Math.min(Math.max(place < 0 ? place + extent : place, 0), extent)
        const [from, to] = [clamp(start), clamp(end)]
        if (to > from) {
          gradient = padAxis(build, gradient, rank, axis, build.ints([from]), build.ints([extent - to]))
          continue
        }
      }
      const pick = (list: string): string => build.op('Gather', [list, build.ints([index])], { axis: 0 })
      const range = build.op('Range', [build.int(0), build.squeeze(build.extentOf(x, axis), [0]), build.int(1)])
      const cut = [range, pick(input(node, 1)), pick(input(node, 2)), build.ints([0])]
      const places = build.op('Slice', input(node, 4) === '' ? cut : [...cut, pick(input(node, 4))])
      gradient = scatterAlong(build, gradient, places, axis, rank, build.extentOf(x, axis))
    }
    return [gradient]
  },
}

/** Constant padding is undone by cutting it off; reflected, repeated and wrapped values flow back to where they came from. */
export const pad: RuleEntry = {
  refuses: firstOf(ranksOf(0), constantAt(3, 'axes')),
  rule: (node, [g], build) => {
    if (!g) return []
    const x = input(node, 0)
    const rank = build.shapeFor(node, x).length
    const mode = node.attributes['mode']?.kind === 'string' ? node.attributes['mode'].value : 'constant'
    const axes = (build.intsIn(input(node, 3)) ?? Array.from({ length: rank }, (_, axis) => axis)).map((axis) =>
      placeOf(axis, rank),
    )
    const pads = input(node, 1)
    if (mode === 'constant') return [unpad(build, node, g, x, axes, pads)]
    let gradient = g
    for (const [index, axis] of axes.entries()) {
      const known = build.intsIn(pads)
      if (known && !known[index] && !known[index + axes.length]) continue
      const pick = (at: number): string => build.op('Gather', [pads, build.ints([at])], { axis: 0 })
      const range = build.op('Range', [build.int(0), build.squeeze(build.extentOf(x, axis), [0]), build.int(1)])
      const ends = build.op('Concat', [pick(index), pick(index + axes.length)], { axis: 0 })
      // The padded places, as the operator itself lays them out. Indices are padded as floats: Pad of int64 is newer.
      const places = build.cast(build.op('Pad', [build.cast(range, 1), ends], { mode }), 7)
      gradient = scatterAlong(build, gradient, places, axis, rank, build.extentOf(x, axis))
    }
    return [gradient]
  },
}

function unpad(build: Builder, node: GraphNode, g: string, x: string, axes: readonly number[], pads: string): string {
  const known = build.intsIn(pads)
  const count = axes.length
  const used = axes
    .map((axis, index) => ({ axis, index }))
    .filter(({ index }) => !known || known[index] || known[index + count])
  if (used.length === 0) return g
  // Negative pads cut values off: those get zeros back.
  if (known?.some((one) => one < 0)) {
    const rank = build.shapeFor(node, x).length
    const all = Array.from({ length: 2 * rank }, () => 0)
    for (const [index, axis] of axes.entries()) {
      all[axis] = -(known[index] ?? 0)
      all[axis + rank] = -(known[index + count] ?? 0)
    }
    return build.op('Pad', [g, build.ints(all)])
  }
  const starts = known
    ? build.ints(used.map(({ index }) => known[index] ?? 0))
    : build.op('Gather', [pads, build.ints(used.map(({ index }) => index))], { axis: 0 })
  const extents = used.map(({ axis }) => build.shape(x)?.[axis])
  const lengths = extents.every((dim) => typeof dim === 'number')
    ? build.ints(extents)
    : build.op('Gather', [build.shapeOf(x), build.ints(used.map(({ axis }) => axis))], { axis: 0 })
  const [a, b] = [build.intsIn(starts), build.intsIn(lengths)]
  const ends = a && b ? build.ints(a.map((start, index) => start + (b[index] ?? 0))) : build.add(starts, lengths)
  return build.op('Slice', [g, starts, ends, build.ints(used.map(({ axis }) => axis))])
}

/** Moves blocks of channels into positions: undone by the operator's own opposite (DCR), or by its transpose (CRD). */
export const depthToSpace = unary((build, x, _y, g, node) => {
  const block = intAttribute(node, 'blocksize') ?? 1
  const mode = node.attributes['mode']?.kind === 'string' ? node.attributes['mode'].value : 'DCR'
  if (mode === 'DCR') return build.op('SpaceToDepth', [g], { blocksize: block })
  const [height, width] = [build.extentOf(x, 2), build.extentOf(x, 3)]
  const size = build.ints([block])
  const split = build.op('Concat', [build.ints([0, -1]), height, size, width, size], { axis: 0 }) // [N, C, H, b, W, b]
  return build.reshapeLike(build.transpose(build.reshape(g, split), [0, 1, 3, 5, 2, 4]), x)
})
export const spaceToDepth = unary((build, _x, _y, g, node) =>
  build.op('DepthToSpace', [g], { blocksize: intAttribute(node, 'blocksize') ?? 1, mode: 'DCR' }),
)

/** Running sums, summed from the other end. */
export const cumSum: RuleEntry = {
  rule: (node, [g], build) => {
    if (!g) return []
    const reverse = 1 - (intAttribute(node, 'reverse') ?? 0)
    return [build.op('CumSum', [g, input(node, 1)], { exclusive: intAttribute(node, 'exclusive') ?? 0, reverse })]
  },
}
export const trilu: RuleEntry = {
  rule: (node, [g], build) => {
    if (!g) return []
    const diagonal = input(node, 1)
    return [build.op('Trilu', diagonal === '' ? [g] : [g, diagonal], { upper: intAttribute(node, 'upper') ?? 1 })]
  },
}
