/**
 * Bilinear enlarging of a map, align_corners=false: a value stands for the middle of its cell, and beyond the outermost
 * middles it stays constant. The same as PyTorch's `interpolate(mode='bilinear', align_corners=False)`.
 *
 * Letters: h, w extent of the map; H, W extent of the result.
 */
import { float32 } from '../tensor/tensor.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import type { Placement } from '../image/preprocess.ts'

/** Along one axis, for each of `size` positions: the two cells, the weight of the second, and whether it lies on the map. */
interface Axis {
  readonly low: Int32Array
  readonly high: Int32Array
  readonly weight: Float64Array
  readonly inside: Uint8Array
}

function axis(cells: number, size: number, start: number, extent: number): Axis {
  const low = new Int32Array(size)
  const high = new Int32Array(size)
  const weight = new Float64Array(size)
  const inside = new Uint8Array(size)
  for (let at = 0; at < size; at++) {
    const share = ((at + 0.5) / size - start) / extent
    const position = Math.min(Math.max(share * cells - 0.5, 0), cells - 1)
    low[at] = Math.floor(position)
    high[at] = Math.min(Math.floor(position) + 1, cells - 1)
    weight[at] = position - Math.floor(position)
    inside[at] = share >= 0 && share <= 1 ? 1 : 0
  }
  return { low, high, weight, inside }
}

/**
 * Lays a map on a picture.
 *
 * @param map [h, w]
 * @param placement the part of the picture that the map covers
 * @returns [height, width]; NaN at pixels whose middle lies outside the placement
 */
export function placeOnPicture(map: FloatTensor, placement: Placement, width: number, height: number): FloatTensor {
  const [cellsDown = 0, cellsAcross = 0] = map.dims
  const across = axis(cellsAcross, width, placement.x, placement.width)
  const down = axis(cellsDown, height, placement.y, placement.height)
  const result = new Float32Array(height * width).fill(NaN)
  for (let y = 0; y < height; y++) {
    if (down.inside[y] !== 1) continue
    const top = (down.low[y] ?? 0) * cellsAcross
    const bottom = (down.high[y] ?? 0) * cellsAcross
    const v = down.weight[y] ?? 0
    for (let x = 0; x < width; x++) {
      if (across.inside[x] !== 1) continue
      const left = across.low[x] ?? 0
      const right = across.high[x] ?? 0
      const u = across.weight[x] ?? 0
      const above = (map.data[top + left] ?? 0) * (1 - u) + (map.data[top + right] ?? 0) * u
      const below = (map.data[bottom + left] ?? 0) * (1 - u) + (map.data[bottom + right] ?? 0) * u
      result[y * width + x] = above * (1 - v) + below * v
    }
  }
  return float32(result, [height, width])
}

/** [h, w] -> [height, width]; also makes smaller, then without antialiasing, as PyTorch does. */
export function upsampleBilinear(map: FloatTensor, width: number, height: number): FloatTensor {
  return placeOnPicture(map, { x: 0, y: 0, width: 1, height: 1 }, width, height)
}
