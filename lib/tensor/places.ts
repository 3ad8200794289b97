/** Walks over the places of several tensors that broadcast. */
import { sizeOf } from './tensor.ts'

/** How far apart neighbours along each axis of `dims` lie, aligned to `rank` axes; 0 along axes that are widened. */
export function stridesOf(dims: readonly number[], rank: number): number[] {
  const strides = new Array<number>(rank).fill(0)
  let step = 1
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    const dim = dims[axis] ?? 1
    if (dim !== 1) strides[axis + rank - dims.length] = step
    step *= dim
  }
  return strides
}

/** Neighbouring axes that every tensor walks through as through one, as one. */
function joined(
  dims: readonly number[],
  strides: readonly (readonly number[])[],
): { readonly dims: readonly number[]; readonly strides: readonly (readonly number[])[] } {
  const extents: number[] = []
  const steps = strides.map((): number[] => [])
  dims.forEach((extent, axis) => {
    if (extent === 1 && dims.length > 1) return
    const last = extents.length - 1
    const together =
      last >= 0 && strides.every((stride, which) => steps[which]?.[last] === (stride[axis] ?? 0) * extent)
    if (together) extents[last] = (extents[last] ?? 1) * extent
    else extents.push(extent)
    strides.forEach((stride, which) => {
      const own = steps[which] ?? []
      own[extents.length - 1] = stride[axis] ?? 0
    })
  })
  return { dims: extents, strides: steps }
}

/** Calls `visit` for every place of `dims`, in order, with the offsets that several strides give it. */
export function everyPlace(
  dims: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (place: number, offsets: readonly number[]) => void,
): void {
  const walked = joined(dims, strides)
  const inner = walked.dims.at(-1) ?? 1
  const outer = walked.dims.slice(0, -1)
  const steps = walked.strides.map((stride) => stride[outer.length] ?? 0)
  const index = outer.map(() => 0)
  const starts = strides.map(() => 0)
  const offsets = strides.map(() => 0)
  const size = sizeOf(dims)
  for (let place = 0; place < size;) {
    for (let which = 0; which < offsets.length; which++) offsets[which] = starts[which] ?? 0
    for (let at = 0; at < inner; at++) {
      visit(place++, offsets)
      for (let which = 0; which < offsets.length; which++) offsets[which] = (offsets[which] ?? 0) + (steps[which] ?? 0)
    }
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      const extent = outer[axis] ?? 1
      const wraps = (index[axis] ?? 0) + 1 === extent
      index[axis] = wraps ? 0 : (index[axis] ?? 0) + 1
      for (let which = 0; which < starts.length; which++)
        starts[which] = (starts[which] ?? 0) + (walked.strides[which]?.[axis] ?? 0) * (wraps ? 1 - extent : 1)
      if (!wraps) break
    }
  }
}
