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

/** Calls `visit` for every place of `dims`, in order, with the offsets that several strides give it. */
export function everyPlace(
  dims: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (place: number, offsets: readonly number[]) => void,
): void {
  const index = dims.map(() => 0)
  const offsets = strides.map(() => 0)
  const size = sizeOf(dims)
  for (let place = 0; place < size; place++) {
    visit(place, offsets)
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const extent = dims[axis] ?? 1
      const wraps = (index[axis] ?? 0) + 1 === extent
      index[axis] = wraps ? 0 : (index[axis] ?? 0) + 1
      strides.forEach((stride, which) => {
        offsets[which] = (offsets[which] ?? 0) + (stride[axis] ?? 0) * (wraps ? 1 - extent : 1)
      })
      if (!wraps) break
    }
  }
}
