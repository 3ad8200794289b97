/**
 * Resampling with a triangle filter, widened when shrinking so that nothing aliases: what Pillow calls BILINEAR and
 * PyTorch `interpolate(mode='bilinear', antialias=True)`.
 *
 * Our own because models are trained on pictures resized so, and sharp is not an exact stand-in: shrinking it agrees to
 * a few levels, but enlarging it shifts by a good part of a pixel (differences of up to 110 levels against Pillow).
 */

/** A part of a picture, in pixels, fractions allowed; the first pixel covers 0..1. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** For each output position, the first source position and the weights of it and those that follow; they add up to 1. */
interface Taps {
  readonly first: Int32Array
  readonly weights: readonly Float64Array[]
}

/** Filter taps along one axis, after Pillow's `precompute_coeffs` (src/libImaging/Resample.c). */
function triangleTaps(sourceSize: number, start: number, extent: number, size: number): Taps {
  const scale = extent / size
  const support = Math.max(scale, 1)
  const first = new Int32Array(size)
  const weights: Float64Array[] = []
  for (let index = 0; index < size; index++) {
    const centre = start + (index + 0.5) * scale
    const from = Math.max(0, Math.floor(centre - support + 0.5))
    const to = Math.min(sourceSize, Math.floor(centre + support + 0.5))
    const row = Float64Array.from({ length: to - from }, (_, tap) =>
      Math.max(0, 1 - Math.abs((from + tap + 0.5 - centre) / support)),
    )
    const total = row.reduce((sum, weight) => sum + weight, 0)
    first[index] = from
    weights.push(row.map((weight) => weight / total))
  }
  return { first, weights }
}

/**
 * Resamples a box of an RGB picture to another extent.
 *
 * @param rgb [sourceHeight, sourceWidth, 3], 0..255
 * @param box what to show, inside the picture; pixels just outside it still count where the filter reaches them
 * @returns [height, width, 3], 0..255, not rounded
 */
export function resample(
  rgb: Uint8Array,
  sourceWidth: number,
  sourceHeight: number,
  box: Box,
  width: number,
  height: number,
): Float32Array {
  const across = triangleTaps(sourceWidth, box.x, box.width, width)
  const down = triangleTaps(sourceHeight, box.y, box.height, height)
  // Only the rows that the second pass reads.
  const firstRow = down.first[0] ?? 0
  const lastRow = (down.first[height - 1] ?? 0) + (down.weights[height - 1]?.length ?? 0)

  const narrowed = new Float32Array((lastRow - firstRow) * width * 3) // [rows, width, 3]
  for (let row = firstRow; row < lastRow; row++)
    across.weights.forEach((weights, x) => {
      let red = 0
      let green = 0
      let blue = 0
      let at = (row * sourceWidth + (across.first[x] ?? 0)) * 3
      for (const weight of weights) {
        red += weight * (rgb[at] ?? 0)
        green += weight * (rgb[at + 1] ?? 0)
        blue += weight * (rgb[at + 2] ?? 0)
        at += 3
      }
      const to = ((row - firstRow) * width + x) * 3
      narrowed[to] = red
      narrowed[to + 1] = green
      narrowed[to + 2] = blue
    })

  const result = new Float32Array(height * width * 3)
  const line = width * 3
  down.weights.forEach((weights, y) => {
    const start = ((down.first[y] ?? 0) - firstRow) * line
    for (let column = 0; column < line; column++) {
      let sum = 0
      let at = start + column
      for (const weight of weights) {
        sum += weight * (narrowed[at] ?? 0)
        at += line
      }
      result[y * line + column] = sum
    }
  })
  return result
}
