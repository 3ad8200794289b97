/**
 * Bilinear enlarging by corners (align_corners=true): the outermost values lie on the picture's edge. Some peers do so; Limelight's
 * own `resize` goes by the middles of cells. Enlarging is linear along each axis, so it is two products.
 *
 * Letters: h, w extent of the map; H, W of the result.
 */
import { given, matmul, type Formula, type MapSize } from '../../../engine/formula.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'

const ROWS = 'corners: rows'
const COLUMNS = 'corners: columns'

/** Weights of the cells at each of `size` positions, row by row: [size, cells]. */
function weights(cells: number, size: number): Float32Array {
  const found = new Float32Array(size * cells)
  for (let at = 0; at < size; at++) {
    const position = size > 1 ? (at * (cells - 1)) / (size - 1) : 0
    const low = Math.min(Math.floor(position), Math.max(0, cells - 2))
    found[at * cells + low] = 1 - (position - low)
    if (cells > 1) found[at * cells + low + 1] = position - low
  }
  return found
}

/** [rows, columns] of values turned. */
function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  return values.map((_, at) => values[(at % rows) * columns + Math.floor(at / rows)] ?? Number.NaN)
}

/** The tensors that {@link resizeByCorners} names, for a question's `shared`. */
export function cornersFor([h, w]: MapSize, [height, width]: MapSize): Readonly<Record<string, FloatTensor>> {
  return {
    [ROWS]: float32(weights(h, height), [1, 1, height, h]),
    [COLUMNS]: float32(turned(weights(w, width), width, w), [1, 1, w, width]),
  }
}

/** [N, C, h, w] to [N, C, H, W]. */
export function resizeByCorners(map: Formula): Formula {
  return matmul(matmul(given(ROWS), map), given(COLUMNS))
}
