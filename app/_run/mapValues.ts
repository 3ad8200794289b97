/** Reading a map that lies on a picture. All positions are fractions of the upright picture, 0..1. */
import type { ImageAttribution } from '../_graphql/types.ts'

export interface Cell {
  readonly row: number
  readonly column: number
  readonly value: number
}

/** The map's cell under a point of the picture; null outside the part that the model saw. */
export function cellAt(map: ImageAttribution, x: number, y: number): Cell | null {
  const column = Math.floor(((x - map.placement.x) / map.placement.width) * map.width)
  const row = Math.floor(((y - map.placement.y) / map.placement.height) * map.height)
  return cell(map, row, column)
}

export function cell(map: ImageAttribution, row: number, column: number): Cell | null {
  if (row < 0 || column < 0 || row >= map.height || column >= map.width) return null
  const value = map.values[row * map.width + column]
  return value === undefined ? null : { row, column, value }
}

/** The outline of a cell on the picture. */
export function cellBox(map: ImageAttribution, { row, column }: Pick<Cell, 'row' | 'column'>) {
  const width = map.placement.width / map.width
  const height = map.placement.height / map.height
  return { x: map.placement.x + column * width, y: map.placement.y + row * height, width, height }
}

/** The cell that speaks most for the class. */
export function strongestCell(map: ImageAttribution): Cell | null {
  let best: Cell | null = null
  map.values.forEach((value, position) => {
    if (best === null || value > best.value) {
      best = { row: Math.floor(position / map.width), column: position % map.width, value }
    }
  })
  return best
}

/** The values at both ends of the colour scale: 0 and the largest, or, unrectified, the same distance to both sides of 0. */
export function displayRange(map: ImageAttribution, rectified: boolean): readonly [number, number] {
  const high = map.values.reduce((largest, value) => Math.max(largest, value), 0)
  if (rectified) return [0, high]
  const reach = map.values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  return map.signed ? [-reach, reach] : [0, reach]
}
