/**
 * Segments by a graph of pixels (Felzenszwalb and Huttenlocher 2004, "Efficient Graph-Based Image Segmentation"): pixels are
 * joined from the most alike on, as long as the step between two regions is no larger than the steps inside of each, plus
 * scale / size.
 *
 * Our own because no kept package has it. As scikit-image 0.26 does it, which is the golden: steps are distances in colour
 * to the eight neighbours of the blurred picture, and edges of one cost come in the order right, down, and the two diagonals.
 *
 * Letters: H x W extent.
 */
import { gaussianWeights } from '../blur.ts'
import type { Segmentation } from './slic.ts'

interface FelzenszwalbChoice {
  /** Larger ones make larger segments; in levels of 0..255 where the picture has 0..1. */
  readonly scale: number
  /** Standard deviation of the blur before, in pixels. */
  readonly sigma: number
  /** Regions smaller than this many pixels are joined to a neighbour. */
  readonly least: number
}

/** Where the Gaussian is cut, in standard deviations. */
const TRUNCATED = 4

/** Blurred along one axis, [H, W, 3]; beyond the border the picture is reflected, its outermost pixels among it. */
function blurred(levels: Float64Array, extent: number, stride: number, sigma: number): Float64Array {
  const radius = Math.trunc(TRUNCATED * sigma + 0.5)
  const weights = gaussianWeights(sigma, radius)
  return levels.map((_, at) => {
    const place = Math.floor(at / stride) % extent
    const start = at - place * stride
    let sum = 0
    for (let tap = -radius; tap <= radius; tap += 1)
      sum += (weights[tap + radius] as number) * (levels[start + reflected(place + tap, extent) * stride] as number)
    return sum
  })
}

/** -1 -> 0, n -> n - 1. */
function reflected(at: number, extent: number): number {
  const inside = ((at % (2 * extent)) + 2 * extent) % (2 * extent)
  return inside < extent ? inside : 2 * extent - 1 - inside
}

/** Neighbours as they stand to a pixel, [down, across], in the order in which edges of one cost come. */
const NEIGHBOURS = [
  [0, 1],
  [1, 0],
  [1, 1],
  [-1, 1],
] as const

interface Edges {
  readonly from: Int32Array
  readonly to: Int32Array
  readonly cost: Float64Array
}

function edgesOf(levels: Float64Array, height: number, width: number): Edges {
  const [from, to, cost]: [number[], number[], number[]] = [[], [], []]
  for (const [down, across] of NEIGHBOURS)
    for (let y = Math.max(0, -down); y < height - Math.max(0, down); y += 1)
      for (let x = 0; x < width - across; x += 1) {
        const [one, other] = [y * width + x, (y + down) * width + x + across]
        let square = 0
        for (let channel = 0; channel < 3; channel += 1)
          square += ((levels[3 * one + channel] as number) - (levels[3 * other + channel] as number)) ** 2
        from.push(one)
        to.push(other)
        cost.push(Math.sqrt(square))
      }
  return { from: Int32Array.from(from), to: Int32Array.from(to), cost: Float64Array.from(cost) }
}

/** Trees of pixels: each region's root is its first pixel. */
class Regions {
  readonly #parent: Int32Array
  readonly size: Float64Array
  /** The largest step inside. */
  readonly inside: Float64Array

  constructor(count: number) {
    this.#parent = Int32Array.from({ length: count }, (_, at) => at)
    this.size = new Float64Array(count).fill(1)
    this.inside = new Float64Array(count)
  }

  root(pixel: number): number {
    let found = pixel
    while (this.#parent[found] !== found) found = this.#parent[found] as number
    for (let at = pixel; at !== found;) {
      const next = this.#parent[at] as number
      this.#parent[at] = found
      at = next
    }
    return found
  }

  join(one: number, other: number, step: number): void {
    const [root, gone] = [Math.min(one, other), Math.max(one, other)]
    this.#parent[gone] = root
    this.size[root] = (this.size[one] as number) + (this.size[other] as number)
    this.inside[root] = step
  }
}

/** @param rgb [H, W, 3], 0..1 for scales as in the paper */
export function felzenszwalb(
  rgb: ArrayLike<number>,
  height: number,
  width: number,
  { scale, sigma, least }: FelzenszwalbChoice,
): Segmentation {
  const smooth = blurred(blurred(Float64Array.from(rgb), height, 3 * width, sigma), width, 3, sigma)
  const { from, to, cost } = edgesOf(smooth, height, width)
  const order = Array.from(cost.keys()).sort((a, b) => (cost[a] as number) - (cost[b] as number) || a - b)
  const regions = new Regions(height * width)
  const allowed = (region: number): number =>
    // In single precision, as scikit-image compares them.
    Math.fround((regions.inside[region] as number) + scale / 255 / (regions.size[region] as number))
  for (const edge of order) {
    const [one, other] = [regions.root(from[edge] as number), regions.root(to[edge] as number)]
    const step = cost[edge] as number
    if (one !== other && step < Math.min(allowed(one), allowed(other))) regions.join(one, other, step)
  }
  for (const edge of order) {
    const [one, other] = [regions.root(from[edge] as number), regions.root(to[edge] as number)]
    const small = Math.min(regions.size[one] as number, regions.size[other] as number) < least
    if (one !== other && small) regions.join(one, other, cost[edge] as number)
  }
  const numbers = new Map<number, number>()
  const labels = Int32Array.from({ length: height * width }, (_, pixel) => {
    const root = regions.root(pixel)
    const known = numbers.get(root) ?? numbers.size
    numbers.set(root, known)
    return known
  })
  return { height, width, labels, count: numbers.size }
}
