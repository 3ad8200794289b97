/** Adding values back to the places they were read from. */
import type { Builder } from '../builder.ts'

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
