/**
 * Maps and pictures read at other places, bilinearly: enlarged by their corners, or a window of them enlarged. Reading between cells is
 * linear along each axis, so it is two products.
 *
 * Letters: N rows, C channels, h, w extent of what is read; H, W of the result.
 */
import { given, matmul, type Formula, type MapSize } from '../../../engine/formula.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { Batch } from '../../shared/batches.ts'

const ROWS = 'resampled: rows'
const COLUMNS = 'resampled: columns'

/** What each of the positions takes of the cells, row by row: [positions, cells]. */
function weightsAt(cells: number, positions: readonly number[]): Float32Array {
  const found = new Float32Array(positions.length * cells)
  positions.forEach((position, at) => {
    const low = Math.min(Math.floor(position), Math.max(0, cells - 2))
    found[at * cells + low] = 1 - (position - low)
    if (cells > 1) found[at * cells + low + 1] = position - low
  })
  return found
}

/** [rows, columns] of values turned. */
function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  return values.map((_, at) => values[(at % rows) * columns + Math.floor(at / rows)] ?? Number.NaN)
}

/** [N, C, h, w] to [N, C, H, W], with the tensors of {@link cornersFor} or {@link Crops}. */
export function resampled(map: Formula): Formula {
  return matmul(matmul(given(ROWS), map), given(COLUMNS))
}

/** By corners (align_corners=true): the outermost values lie on the edge. Some peers do so; `resize` goes by the middles of cells. */
export function cornersFor([h, w]: MapSize, [height, width]: MapSize): Readonly<Record<string, FloatTensor>> {
  const positions = (cells: number, size: number): readonly number[] =>
    Array.from({ length: size }, (_, at) => (size > 1 ? (at * (cells - 1)) / (size - 1) : 0))
  return {
    [ROWS]: float32(weightsAt(h, positions(h, height)), [1, 1, height, h]),
    [COLUMNS]: float32(turned(weightsAt(w, positions(w, width)), width, w), [1, 1, w, width]),
  }
}

export interface Crops {
  readonly total: number
  /** For a question's `perRow`. */
  readonly perRow: (batch: Batch) => Readonly<Record<string, FloatTensor>>
}

/**
 * Windows of a picture, each enlarged to its whole extent by the middles of pixels.
 * @param side windows along each side, evenly spread
 * @param share of the picture's sides that a window has, 0..1
 */
export function cropsOf([height, width]: MapSize, side: number, share: number): Crops {
  const along = (extent: number, at: number): Float32Array => {
    const window = Math.max(1, Math.round(share * extent))
    const start = side > 1 ? ((extent - window) * at) / (side - 1) : (extent - window) / 2
    const positions = Array.from({ length: extent }, (_, place) =>
      Math.min(Math.max(start + ((place + 0.5) * window) / extent - 0.5, start), start + window - 1),
    )
    return weightsAt(extent, positions)
  }
  const gathered = (count: number, of: (at: number) => Float32Array, extent: number): FloatTensor => {
    const data = new Float32Array(count * extent * extent)
    for (let at = 0; at < count; at++) data.set(of(at), at * extent * extent)
    return float32(data, [count, 1, extent, extent])
  }
  return {
    total: side * side,
    perRow: ({ first, count }) => ({
      [ROWS]: gathered(count, (at) => along(height, Math.floor((first + at) / side)), height),
      [COLUMNS]: gathered(count, (at) => turned(along(width, (first + at) % side), width, width), width),
    }),
  }
}
