/** Where a picture has edges, whatever a model makes of it. */
import type { PictureUnits } from '../../../image/units.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import { extentOf } from './pixels.ts'

/** The mean of the channels in levels 0..1, row by row. */
function greyOf({ data }: FloatTensor, { lowest, highest }: PictureUnits, area: number): Float64Array {
  const grey = new Float64Array(area)
  lowest.forEach((low, channel) => {
    const range = (highest[channel] ?? 1) - low
    for (let at = 0; at < area; at += 1)
      grey[at] = (grey[at] ?? 0) + ((data[channel * area + at] ?? 0) - low) / range / lowest.length
  })
  return grey
}

/**
 * The magnitude of the Sobel gradient (Sobel and Feldman 1968) of a picture's grey levels, 0..1; beyond the border the outer
 * pixels go on.
 * @param picture [1, C, H, W], as fed
 * @returns [H, W]
 */
export function sobelMagnitude(picture: FloatTensor, units: PictureUnits): FloatTensor {
  const { height, width } = extentOf(picture)
  const grey = greyOf(picture, units, height * width)
  const at = (y: number, x: number): number => {
    const [row, column] = [Math.min(Math.max(y, 0), height - 1), Math.min(Math.max(x, 0), width - 1)]
    return grey[row * width + column] ?? 0
  }
  const magnitude = new Float32Array(height * width)
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const across =
        at(y - 1, x + 1) + 2 * at(y, x + 1) + at(y + 1, x + 1) - at(y - 1, x - 1) - 2 * at(y, x - 1) - at(y + 1, x - 1)
      const down =
        at(y + 1, x - 1) + 2 * at(y + 1, x) + at(y + 1, x + 1) - at(y - 1, x - 1) - 2 * at(y - 1, x) - at(y - 1, x + 1)
      magnitude[y * width + x] = Math.hypot(across, down)
    }
  return float32(magnitude, [height, width])
}
