/**
 * Resampling with a filter that is widened when shrinking, so that nothing aliases: what Pillow calls BILINEAR and BICUBIC
 * and PyTorch `interpolate(mode, antialias=True)`.
 *
 * Our own because models are trained on pictures resized so, and sharp is not an exact stand-in: shrinking it agrees to
 * a few levels, but enlarging it shifts by a good part of a pixel (differences of up to 110 levels against Pillow).
 */
import type { ImagePreprocessing } from '../models/card.ts'

/** How a model card calls a filter. */
export type ResampleFilter = NonNullable<ImagePreprocessing['filter']>

/** A part of a picture, in pixels, fractions allowed; the first pixel covers 0..1. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A filter around 0 that is 0 from `support` on. */
interface Filter {
  readonly support: number
  readonly weight: (distance: number) => number
}

/** The filters by their names in a model card, as in Pillow's src/libImaging/Resample.c. */
const FILTERS = {
  bilinear: { support: 1, weight: (distance) => 1 - distance },
  // Keys, Cubic Convolution Interpolation for Digital Image Processing (1981), with a = -1/2.
  bicubic: {
    support: 2,
    weight: (distance) =>
      distance < 1
        ? (1.5 * distance - 2.5) * distance * distance + 1
        : ((-0.5 * distance + 2.5) * distance - 4) * distance + 2,
  },
} as const satisfies Record<ResampleFilter, Filter>

/** For each output position, the first source position and the weights of it and those that follow; they add up to 1. */
interface Taps {
  readonly first: Int32Array
  readonly weights: readonly Float64Array[]
}

/** Filter taps along one axis, after Pillow's `precompute_coeffs` (src/libImaging/Resample.c). */
function tapsOf(filter: Filter, sourceSize: number, start: number, extent: number, size: number): Taps {
  const scale = extent / size
  const widening = Math.max(scale, 1)
  const support = filter.support * widening
  const first = new Int32Array(size)
  const weights: Float64Array[] = []
  for (let index = 0; index < size; index++) {
    const centre = start + (index + 0.5) * scale
    const from = Math.max(0, Math.floor(centre - support + 0.5))
    const to = Math.min(sourceSize, Math.floor(centre + support + 0.5))
    const row = Float64Array.from({ length: to - from }, (_, tap) => {
      const distance = Math.abs((from + tap + 0.5 - centre) / widening)
      return distance < filter.support ? filter.weight(distance) : 0
    })
    const total = row.reduce((sum, weight) => sum + weight, 0)
    first[index] = from
    weights.push(row.map((weight) => weight / total))
  }
  return { first, weights }
}

/** A level that a picture can have: the bicubic filter overshoots at edges, where Pillow cuts off, after each of the two passes. */
function level(value: number): number {
  return Math.min(255, Math.max(0, value))
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
  filter: ResampleFilter = 'bilinear',
): Float32Array {
  const across = tapsOf(FILTERS[filter], sourceWidth, box.x, box.width, width)
  const down = tapsOf(FILTERS[filter], sourceHeight, box.y, box.height, height)
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
      narrowed[to] = level(red)
      narrowed[to + 1] = level(green)
      narrowed[to + 2] = level(blue)
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
      result[y * line + column] = level(sum)
    }
  })
  return result
}
