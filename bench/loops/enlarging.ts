/**
 * Score-CAM's enlargement as matrices: [1, 1, H, h] from the left and [1, 1, w, W] from the right make a picture of a map.
 * Bilinear with corners on corners (align_corners=True), as pytorch-grad-cam does.
 */
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'

/** The matrix that enlarges `cells` to `size` values: rows of weights for `down`, columns for `across`. */
export function enlarging(cells: number, size: number, side: 'down' | 'across'): FloatTensor {
  const weights = new Float32Array(cells * size)
  const place = (at: number, cell: number): number => (side === 'down' ? at * cells + cell : cell * size + at)
  for (let at = 0; at < size; at++) {
    const position = size > 1 ? (at * (cells - 1)) / (size - 1) : 0
    const low = Math.min(Math.floor(position), cells - 1)
    const share = position - low
    weights[place(at, low)] = 1 - share
    if (low + 1 < cells) weights[place(at, low + 1)] = share
  }
  return float32(weights, side === 'down' ? [1, 1, size, cells] : [1, 1, cells, size])
}
