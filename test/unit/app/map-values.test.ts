import { describe, expect, it } from 'vitest'
import { cellAt, displayRange, strongestCell } from '../../../app/_run/mapValues.ts'

// 2 rows, 3 columns, in the middle half of the picture's width
const map = {
  __typename: 'ImageAttribution' as const,
  width: 3,
  height: 2,
  values: [-4, 1, 2, 3, 0, -1],
  signed: true,
  layer: null,
  placement: { x: 0.25, y: 0, width: 0.5, height: 1 },
  completeness: null,
  overlayUrl: '',
  npyUrl: '',
}

describe('reading a map', () => {
  it('finds the cell under a point of the picture', () => {
    expect(cellAt(map, 0.26, 0.1)).toEqual({ row: 0, column: 0, value: -4 })
    expect(cellAt(map, 0.74, 0.9)).toEqual({ row: 1, column: 2, value: -1 })
  })
  it('finds nothing where the model saw nothing', () => {
    expect(cellAt(map, 0.1, 0.5)).toBeNull()
    expect(cellAt(map, 0.9, 0.5)).toBeNull()
  })
  it('starts at the strongest evidence for the class', () => {
    expect(strongestCell(map)).toEqual({ row: 1, column: 0, value: 3 })
  })
  it('scales as the server draws: from 0 when rectified, both ways from 0 otherwise', () => {
    expect(displayRange(map, true)).toEqual([0, 3])
    expect(displayRange(map, false)).toEqual([-4, 4])
  })
})
