/**
 * The regions of XRAI (Kapishnikov et al. 2019, 1906.02825, section 3): segments of the picture at several scales, a little
 * larger than they are, taken one after another by what is gained for each pixel that they add.
 *
 * Letters: H x W extent, M masks.
 */
import { felzenszwalb } from '../../../image/segmentation/felzenszwalb.ts'
import { stretched } from '../../../image/segmentation/stretched.ts'

/** Of the paper's section 3.1 and the authors' package, for pictures of 224 x 224 with values in -1..1. */
const SCALES = [50, 100, 150, 250, 500, 1200] as const
const SIGMA = 0.8
const EXTENT = 224
const LEAST_SEGMENT = 150
const DILATION = 5
const LEAST_ADDED = 50

interface RegionSizes {
  /** Pixels of the smallest segment. */
  readonly least: number
  /** How far segments are enlarged, in pixels. */
  readonly dilation: number
  /** A region that adds fewer pixels than this is passed over. */
  readonly added: number
}

/** In proportion to the picture: the package brings it to 224 x 224 instead. */
export function sizesFor(height: number, width: number): RegionSizes {
  const share = (height * width) / EXTENT ** 2
  return {
    least: Math.max(1, Math.round(LEAST_SEGMENT * share)),
    dilation: Math.round(DILATION * Math.sqrt(share)),
    added: Math.max(1, Math.round(LEAST_ADDED * share)),
  }
}

/** 1 in the region and 0 outside of it, [H * W]. */
type Mask = Uint8Array

/** @param rgb [H, W, 3], in any range: it is stretched to -1..1 */
export function xraiMasks(rgb: ArrayLike<number>, height: number, width: number, sizes: RegionSizes): readonly Mask[] {
  const picture = stretched(rgb, -1, 1)
  return SCALES.flatMap((scale) => {
    const { labels, count } = felzenszwalb(picture, height, width, { scale, sigma: SIGMA, least: sizes.least })
    const masks = Array.from({ length: count }, () => new Uint8Array(height * width))
    labels.forEach((label, pixel) => enlarge(masks[label] as Mask, pixel, height, width, sizes.dilation))
    return masks
  })
}

/** Every pixel of a disk around one. */
function enlarge(mask: Mask, pixel: number, height: number, width: number, radius: number): void {
  const [y, x] = [Math.floor(pixel / width), pixel % width]
  for (let dy = Math.max(-radius, -y); dy <= Math.min(radius, height - 1 - y); dy += 1) {
    const reach = Math.floor(Math.sqrt(radius * radius - dy * dy))
    mask.fill(1, (y + dy) * width + Math.max(0, x - reach), (y + dy) * width + Math.min(width, x + reach + 1))
  }
}

/**
 * Algorithm 1 of the paper: the region with the largest mean attribution of the pixels that it would add is added, until none
 * adds enough; pixels have that mean. What no region took has its own.
 * @param attribution [H * W]
 */
export function xraiMap(attribution: ArrayLike<number>, masks: readonly Mask[], leastAdded: number): Float64Array {
  const map = new Float64Array(attribution.length).fill(Number.NaN)
  const open = masks.map((mask) => {
    let [sum, count] = [0, 0]
    mask.forEach((inside, pixel) => {
      if (inside === 0) return
      sum += attribution[pixel] as number
      count += 1
    })
    return { mask, sum, count }
  })
  for (;;) {
    let best = -1
    for (let at = open.length - 1; at >= 0; at -= 1) if ((open[at]?.count ?? 0) < leastAdded) open.splice(at, 1)
    open.forEach(({ sum, count }, at) => {
      if (best < 0 || sum / count > (open[best]?.sum ?? NaN) / (open[best]?.count ?? NaN)) best = at
    })
    const [taken] = best < 0 ? [] : open.splice(best, 1)
    if (taken === undefined) break
    const gain = taken.sum / taken.count
    taken.mask.forEach((inside, pixel) => {
      if (inside === 0 || !Number.isNaN(map[pixel])) return
      map[pixel] = gain
      for (const other of open) {
        if (other.mask[pixel] === 0) continue
        other.sum -= attribution[pixel] as number
        other.count -= 1
      }
    })
  }
  return withRest(map, attribution)
}

/** Pixels that nothing took have the mean attribution of all such. */
function withRest(map: Float64Array, attribution: ArrayLike<number>): Float64Array {
  let [sum, count] = [0, 0]
  map.forEach((value, pixel) => {
    if (!Number.isNaN(value)) return
    sum += attribution[pixel] as number
    count += 1
  })
  return map.map((value) => (Number.isNaN(value) ? sum / count : value))
}
