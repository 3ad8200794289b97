import { expect, test } from 'vitest'
import { everyPlace, stridesOf } from '../../../lib/tensor/places.ts'

/** Offsets from the index along every axis, written out. */
function literally(dims: readonly number[], strides: readonly (readonly number[])[]): number[][] {
  const size = dims.reduce((product, dim) => product * dim, 1)
  return Array.from({ length: size }, (_, place) => {
    let rest = place
    const index = dims
      .toReversed()
      .map((dim) => {
        const at = rest % dim
        rest = (rest - at) / dim
        return at
      })
      .toReversed()
    return [place, ...strides.map((stride) => index.reduce((sum, at, axis) => sum + at * (stride[axis] ?? 0), 0))]
  })
}

test.each([
  { dims: [2, 3, 4, 5], others: [[2, 3, 4, 5]] },
  {
    dims: [2, 3, 4, 5],
    others: [
      [3, 1, 1],
      [2, 1, 4, 5],
    ],
  },
  { dims: [2, 3, 4, 5], others: [[1, 1, 4, 5], [5], [4, 1]] },
  { dims: [1, 3, 1, 5], others: [[3, 1, 1], []] },
  { dims: [1, 1], others: [[1]] },
  { dims: [1], others: [[1]] },
  { dims: [], others: [[]] },
  { dims: [2, 0, 3], others: [[3]] },
])('every place of $dims beside $others, in order', ({ dims, others }) => {
  const strides = others.map((other) => stridesOf(other, dims.length))
  const visited: number[][] = []
  everyPlace(dims, strides, (place, offsets) => visited.push([place, ...offsets]))
  expect(visited).toEqual(literally(dims, strides))
})
