/** Gradient rules of operators that read by index: what was read often gets the sum. */
import { placeOf } from '../builder.ts'
import { intAttribute } from '../graph.ts'
import { scatterAlong } from './scatter.ts'
import { input, type RuleEntry } from './rule.ts'

export const gather: RuleEntry = {
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
      const pads = (before: string, behind: string): string =>
        build.op('Pad', [wide, build.op('Concat', [before, behind], { axis: 0 }), '', build.ints([axis])])
      if (typeof extent === 'number')
        return [build.op('Pad', [wide, build.ints([place, extent - 1 - place]), '', build.ints([axis])])]
      return [pads(build.ints([place]), build.sub(build.extentOf(x, axis), build.ints([place + 1])))]
    }
    // [.., indices' axes, ..] -> one axis of all places.
    const places = indexRank === 1 ? indices : build.reshape(indices, build.ints([-1]))
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
