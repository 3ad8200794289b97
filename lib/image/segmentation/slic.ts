/**
 * SLIC superpixels (Achanta et al. 2012, "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods"): k-means in
 * colour and place, each centre looking only at its neighbourhood, then scraps joined to what is beside them.
 *
 * Our own because no kept package has it. Step for step as scikit-image 0.26 does it, which is the golden: the picture
 * stretched to 0..1 first, centres on a grid and not moved to low gradients, ten rounds.
 *
 * Letters: H x W extent, S segments.
 */
import { connected } from './connected.ts'
import { labOf } from './lab.ts'
import { stretched } from './stretched.ts'

export interface Segmentation {
  readonly height: number
  readonly width: number
  /** Which segment each pixel is in, 0..count-1 in order of their first pixels, [H, W]. */
  readonly labels: Int32Array
  readonly count: number
}

interface SlicChoice {
  /** About how many. */
  readonly segments: number
  /** How much place counts against colour (in units of L*a*b*): 10 for shapes that follow edges, 100 for near squares. */
  readonly compactness: number
}

const ROUNDS = 10
/** Of the mean extent: what is smaller is joined to a neighbour, what is larger is parted. */
const SMALLEST = 0.5
const LARGEST = 3

interface Centres {
  readonly y: Float64Array
  readonly x: Float64Array
  /** [S, 3] */
  readonly colour: Float64Array
  /** How far neighbours lie apart, in pixels. */
  readonly step: number
  /** How far a centre looks, down and across. */
  readonly reach: readonly [number, number]
}

/** NumPy rounds halves to even. */
function rounded(value: number): number {
  const below = Math.floor(value)
  return value - below === 0.5 ? below + (below % 2) : Math.round(value)
}

/** The sides of the cells of a grid of about so many points, and where the first point lies; not rounded yet where they are square. */
function cells(height: number, width: number, points: number): readonly [number, number] {
  const area = height * width
  if (area <= points) return [1, 1]
  const side = Math.sqrt(area / points)
  if (height < side) return [height, width / points]
  if (width < side) return [height / points, width]
  return [side, side]
}

/** On a grid of square cells; colours are not looked at before the first round. */
function gridded(height: number, width: number, segments: number): Centres {
  const sides = cells(height, width, segments)
  const [rows, columns] = sides.map((size, axis) => {
    const start = Math.floor(size / 2)
    const step = Math.max(1, rounded(size))
    const extent = axis === 0 ? height : width
    return Array.from({ length: Math.max(1, Math.ceil((extent - start) / step)) }, (_, index) => start + index * step)
  }) as [number[], number[]]
  const places = rows.flatMap((y) => columns.map((x) => [y, x] as const))
  return {
    y: Float64Array.from(places, ([y]) => y),
    x: Float64Array.from(places, ([, x]) => x),
    colour: new Float64Array(3 * places.length),
    step: Math.max(1, ...sides.map(rounded)),
    // By the number of centres that the grid came to have, as scikit-image looks about.
    reach: cells(height, width, places.length).map((size) => 2 * Math.max(1, rounded(size))) as [number, number],
  }
}

/**
 * @param rgb [H, W, 3], in any range
 * @returns connected segments, about as many as asked for
 */
export function slic(rgb: ArrayLike<number>, height: number, width: number, choice: SlicChoice): Segmentation {
  const lab = labOf(stretched(rgb, 0, 1)).map((value) => value / choice.compactness)
  const centres = gridded(height, width, choice.segments)
  const nearest = new Int32Array(height * width).fill(-1)
  for (let round = 0; round < ROUNDS; round += 1) {
    if (!assign(lab, height, width, centres, nearest)) break
    recentre(lab, width, centres, nearest)
  }
  const mean = (height * width) / centres.y.length
  return connected(nearest, height, width, { least: Math.trunc(SMALLEST * mean), most: Math.trunc(LARGEST * mean) })
}

/** Gives each pixel to the nearest centre whose window it is in; false where nothing was given. */
function assign(lab: Float64Array, height: number, width: number, centres: Centres, nearest: Int32Array): boolean {
  const { step, reach } = centres
  const distances = new Float64Array(height * width).fill(Infinity)
  let changed = false
  centres.y.forEach((cy, centre) => {
    const cx = centres.x[centre] as number
    const [l = 0, a = 0, b = 0] = centres.colour.subarray(3 * centre)
    const [top, bottom] = [Math.trunc(Math.max(cy - reach[0], 0)), Math.trunc(Math.min(cy + reach[0] + 1, height))]
    const [left, right] = [Math.trunc(Math.max(cx - reach[1], 0)), Math.trunc(Math.min(cx + reach[1] + 1, width))]
    for (let y = top; y < bottom; y += 1)
      for (let x = left; x < right; x += 1) {
        const at = y * width + x
        const place = ((cy - y) ** 2 + (cx - x) ** 2) / (step * step)
        const colour =
          ((lab[3 * at] as number) - l) ** 2 +
          ((lab[3 * at + 1] as number) - a) ** 2 +
          ((lab[3 * at + 2] as number) - b) ** 2
        if ((distances[at] as number) > place + colour) {
          distances[at] = place + colour
          nearest[at] = centre
          changed = true
        }
      }
  })
  return changed
}

/** Moves each centre to the mean of its pixels; one without any stays. */
function recentre(lab: Float64Array, width: number, centres: Centres, nearest: Int32Array): void {
  const { y, x, colour } = centres
  const counts = new Float64Array(y.length)
  y.fill(0)
  x.fill(0)
  colour.fill(0)
  nearest.forEach((centre, at) => {
    if (centre < 0) return
    counts[centre] = (counts[centre] as number) + 1
    y[centre] = (y[centre] as number) + Math.floor(at / width)
    x[centre] = (x[centre] as number) + (at % width)
    for (let channel = 0; channel < 3; channel += 1)
      colour[3 * centre + channel] = (colour[3 * centre + channel] as number) + (lab[3 * at + channel] as number)
  })
  counts.forEach((count, centre) => {
    y[centre] = (y[centre] as number) / count
    x[centre] = (x[centre] as number) / count
    for (let channel = 0; channel < 3; channel += 1)
      colour[3 * centre + channel] = (colour[3 * centre + channel] as number) / count
  })
}
