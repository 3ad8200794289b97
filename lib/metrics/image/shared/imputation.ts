/**
 * Noisy linear imputation (Rong et al. 2022, 2202.00449, section 4): pixels that are taken out become the weighted mean of their
 * eight neighbours, all at once, so that neither their value nor their place is told; a little noise hides the rest.
 *
 * One linear system for all the pixels that are gone: symmetric and positive definite, solved by conjugate gradients.
 * Letters: C channels, H x W extent.
 */
import type { FloatTensor } from '../../../tensor/tensor.ts'
import { extentOf } from './pixels.ts'

/** The authors' weights: neighbours beside a pixel count twice as much as those at its corners. */
const NEIGHBOURS: readonly (readonly [down: number, across: number, weight: number])[] = [
  [1, 1, 1 / 12],
  [0, 1, 1 / 6],
  [-1, 1, 1 / 12],
  [1, -1, 1 / 12],
  [0, -1, 1 / 6],
  [-1, -1, 1 / 12],
  [1, 0, 1 / 6],
  [-1, 0, 1 / 6],
]
/** Of the right-hand side's length, where no noise is added. */
const EXACT = 1e-9
/** As a share of the noise: below what it hides. */
const BELOW_NOISE = 1e-2

interface System {
  /** Pixels that are gone, row by row, [M]. */
  readonly gone: Uint32Array
  /** For each its neighbours among them, as places in `gone` and weights; -1 where there is none, [M * 8]. */
  readonly links: Int32Array
  /** Sum of the weights of the neighbours that the picture has, [M]. */
  readonly diagonal: Float64Array
  /** Neighbours that are shown, as pixels; -1 where there is none, [M * 8]. */
  readonly shown: Int32Array
}

function systemOf(missing: Uint8Array, height: number, width: number): System {
  const gone = Uint32Array.from(missing.keys()).filter((pixel) => missing[pixel] === 1)
  const place = new Int32Array(missing.length).fill(-1)
  gone.forEach((pixel, at) => (place[pixel] = at))
  const links = new Int32Array(gone.length * NEIGHBOURS.length).fill(-1)
  const shown = new Int32Array(gone.length * NEIGHBOURS.length).fill(-1)
  const diagonal = new Float64Array(gone.length)
  gone.forEach((pixel, at) => {
    const [y, x] = [Math.floor(pixel / width), pixel % width]
    NEIGHBOURS.forEach(([down, across, weight], side) => {
      const [row, column] = [y + down, x + across]
      if (row < 0 || column < 0 || row >= height || column >= width) return
      const neighbour = row * width + column
      const slot = at * NEIGHBOURS.length + side
      diagonal[at] = (diagonal[at] ?? 0) + weight
      if (missing[neighbour] === 1) links[slot] = place[neighbour] ?? -1
      else shown[slot] = neighbour
    })
  })
  return { gone, links, diagonal, shown }
}

const WEIGHTS = Float64Array.from(NEIGHBOURS, ([, , weight]) => weight)

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let at = 0; at < a.length; at += 1) sum += (a[at] as number) * (b[at] as number)
  return sum
}

/** diagonal * x - sum of the linked neighbours' x. */
function applied({ links, diagonal }: System, x: Float64Array, into: Float64Array): void {
  const sides = WEIGHTS.length
  for (let at = 0; at < x.length; at += 1) {
    let sum = (diagonal[at] as number) * (x[at] as number)
    for (let side = 0; side < sides; side += 1) {
      const link = links[at * sides + side] as number
      if (link >= 0) sum -= (WEIGHTS[side] as number) * (x[link] as number)
    }
    into[at] = sum
  }
}

/** Hestenes and Stiefel 1952, preconditioned by the diagonal. @param x where it starts; written over */
function solved(system: System, right: Float64Array, x: Float64Array, tolerance: number): Float64Array {
  const { diagonal } = system
  const size = right.length
  const residual = new Float64Array(size)
  applied(system, x, residual)
  for (let at = 0; at < size; at += 1) residual[at] = (right[at] as number) - (residual[at] as number)
  const limit = tolerance * Math.sqrt(dot(right, right))
  const scaled = residual.map((value, at) => value / (diagonal[at] as number))
  const direction = scaled.slice()
  const product = new Float64Array(size)
  let energy = dot(residual, scaled)
  for (let step = 0; step < 4 * size && Math.sqrt(dot(residual, residual)) > limit; step += 1) {
    applied(system, direction, product)
    const reach = energy / dot(direction, product)
    for (let at = 0; at < size; at += 1) {
      x[at] = (x[at] as number) + reach * (direction[at] as number)
      residual[at] = (residual[at] as number) - reach * (product[at] as number)
      scaled[at] = (residual[at] as number) / (diagonal[at] as number)
    }
    const before = energy
    energy = dot(residual, scaled)
    for (let at = 0; at < size; at += 1)
      direction[at] = (scaled[at] as number) + (energy / before) * (direction[at] as number)
  }
  return x
}

/**
 * A first guess of what is gone, right in the large: what is shown is averaged in ever larger squares, and each gap takes the
 * value of the smallest square around it that has one. Saves most of the steps that carry values across wide gaps.
 * @param shown [H * W]
 */
function guessed(values: Float64Array, shown: Float64Array, height: number, width: number): Float64Array {
  if (height === 1 && width === 1) return values
  const [high, wide] = [Math.ceil(height / 2), Math.ceil(width / 2)]
  const sums = new Float64Array(high * wide)
  const counts = new Float64Array(high * wide)
  for (let at = 0; at < values.length; at += 1) {
    const square = Math.floor(at / width / 2) * wide + Math.floor((at % width) / 2)
    sums[square] = (sums[square] as number) + (shown[at] as number) * (values[at] as number)
    counts[square] = (counts[square] as number) + (shown[at] as number)
  }
  const means = sums.map((sum, square) => sum / Math.max(1, counts[square] as number))
  const larger = guessed(means, counts.map(Math.sign), high, wide)
  return values.map((value, at) =>
    shown[at] === 1 ? value : (larger[Math.floor(at / width / 2) * wide + Math.floor((at % width) / 2)] as number),
  )
}

/**
 * @param missing 1 where a pixel is taken out, [H * W]; one at least is shown
 * @param noise standard deviation of what is added to each value that was made, in the feed's numbers
 * @param normal draws it, with standard deviation 1
 * @returns the feed's values, [C * H * W]
 */
export function imputed(picture: FloatTensor, missing: Uint8Array, noise: number, normal: () => number): Float32Array {
  const { height, width } = extentOf(picture)
  const shown = Float64Array.from(missing, (gone) => 1 - gone)
  const area = height * width
  const system = systemOf(missing, height, width)
  const sides = WEIGHTS.length
  const filled = picture.data.slice()
  for (let first = 0; first < filled.length; first += area) {
    const right = new Float64Array(system.gone.length)
    for (let slot = 0; slot < system.shown.length; slot += 1) {
      const pixel = system.shown[slot] as number
      if (pixel < 0) continue
      const at = Math.floor(slot / sides)
      right[at] = (right[at] as number) + (WEIGHTS[slot % sides] as number) * (picture.data[first + pixel] as number)
    }
    const guess = guessed(Float64Array.from(picture.data.subarray(first, first + area)), shown, height, width)
    const start = Float64Array.from(system.gone, (pixel) => guess[pixel] as number)
    const values = solved(system, right, start, Math.max(EXACT, BELOW_NOISE * noise))
    system.gone.forEach((pixel, at) => (filled[first + pixel] = (values[at] as number) + noise * normal()))
  }
  return filled
}
