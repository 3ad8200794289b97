/** Adding values back to the places they were read from. */
import type { Builder } from '../../graph/builder.ts'

/**
 * The transpose of reading `places` (int64 vector, repeats allowed) along one axis:
 * g [.., P, ..] -> zeros [.., extent, ..] with g's slices added at their places.
 */
export function scatterAlong(
  build: Builder,
  g: string,
  places: string,
  axis: number,
  rank: number,
  extent: string,
): string {
  const front = [axis, ...Array.from({ length: rank }, (_, one) => one).filter((one) => one !== axis)]
  const inverse = Array.from({ length: rank }, (_, one) => front.indexOf(one))
  const rows = build.transpose(g, front) // [P, rest...]
  const rest = rank > 1 ? [build.op('Slice', [build.op('Shape', [rows]), build.ints([1]), build.ints([rank])])] : []
  const shape = rest.length > 0 ? build.op('Concat', [extent, ...rest], { axis: 0 }) : extent
  const zeros = build.op('Expand', [build.float(0), shape])
  const index = build.unsqueeze(places, [-1]) // [P, 1]
  return build.transpose(build.op('ScatterND', [zeros, index, rows], { reduction: 'add' }), inverse)
}

/**
 * Zeros before and behind along one axis; `before` and `behind` are int64 vectors of length 1. The pads of every axis are
 * written out: ONNX Runtime's transpose optimiser mistakes Pad's `axes` input (seen in 1.30).
 */
export function padAxis(build: Builder, x: string, rank: number, axis: number, before: string, behind: string): string {
  const [first, second] = [build.intsIn(before), build.intsIn(behind)]
  if (first && second) {
    const pads = Array.from({ length: 2 * rank }, () => 0)
    pads[axis] = first[0] ?? 0
    pads[axis + rank] = second[0] ?? 0
    return pads.every((pad) => pad === 0) ? x : build.op('Pad', [x, build.ints(pads)])
  }
  const zeros = (count: number): string[] => (count === 0 ? [] : [build.ints(Array.from({ length: count }, () => 0))])
  const pads = [...zeros(axis), before, ...zeros(rank - 1), behind, ...zeros(rank - 1 - axis)]
  return build.op('Pad', [x, build.op('Concat', pads, { axis: 0 })])
}
