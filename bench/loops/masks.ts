/**
 * Score-CAM's masks: the channels of a map, each enlarged to the picture and scaled to 0..1, times the picture.
 *
 * Wang et al. 2020, https://arxiv.org/abs/1910.01279, equation 6 and algorithm 1. Enlarged with corners on corners
 * (align_corners=True), as pytorch-grad-cam does. Letters: C channels, h x w extent of the map, H x W of the picture.
 */
import type { FloatTensor } from '../../lib/tensor/tensor.ts'

/** Along one axis: for each of `size` positions the cell before it, the one after, and the weight of the second. */
interface Axis {
  readonly low: Int32Array
  readonly high: Int32Array
  readonly weight: Float32Array
}

function axis(cells: number, size: number): Axis {
  const low = new Int32Array(size)
  const high = new Int32Array(size)
  const weight = new Float32Array(size)
  for (let at = 0; at < size; at++) {
    const position = size > 1 ? (at * (cells - 1)) / (size - 1) : 0
    low[at] = Math.min(Math.floor(position), cells - 1)
    high[at] = Math.min(Math.floor(position) + 1, cells - 1)
    weight[at] = position - Math.floor(position)
  }
  return { low, high, weight }
}

/** As in pytorch-grad-cam, so that a constant channel is a mask of zeros. */
const LEAST_RANGE = 1e-8

/** Makes masked pictures into a buffer of the caller's; holds its own scratch, so that a call allocates nothing. */
export class Masker {
  readonly #image: Float32Array
  readonly #channels: number
  readonly #height: number
  readonly #width: number
  readonly #map: FloatTensor
  readonly #across: Axis
  readonly #down: Axis
  /** [h, W]: a channel enlarged along its rows. */
  readonly #wide: Float32Array
  /** [H, W] */
  readonly #mask: Float32Array

  /**
   * @param image [1, C, H, W]
   * @param map [1, channels, h, w]
   */
  constructor(image: FloatTensor, map: FloatTensor) {
    const [, channels = 0, height = 0, width = 0] = image.dims
    const [, , rows = 0, columns = 0] = map.dims
    this.#image = image.data
    this.#channels = channels
    this.#height = height
    this.#width = width
    this.#map = map
    this.#across = axis(columns, width)
    this.#down = axis(rows, height)
    this.#wide = new Float32Array(rows * width)
    this.#mask = new Float32Array(height * width)
  }

  /** Writes the picture masked by a channel, [C, H, W], into `target` from `offset` on. */
  write(channel: number, target: Float32Array, offset: number): void {
    this.#enlarge(channel)
    const mask = this.#mask
    const image = this.#image
    const area = this.#height * this.#width
    for (let plane = 0; plane < this.#channels; plane++) {
      const from = plane * area
      const to = offset + from
      for (let at = 0; at < area; at++) target[to + at] = (image[from + at] as number) * (mask[at] as number)
    }
  }

  /** Scaled by the enlarged channel's own extremes: those of the map may lie between two pixels. */
  #enlarge(channel: number): void {
    const [, , rows = 0, columns = 0] = this.#map.dims
    const cells = this.#map.data.subarray(channel * rows * columns, (channel + 1) * rows * columns)
    const wide = this.#wide
    const mask = this.#mask
    const width = this.#width
    const { low: left, high: right, weight: u } = this.#across
    for (let row = 0; row < rows; row++)
      for (let x = 0; x < width; x++) {
        const a = cells[row * columns + (left[x] as number)] as number
        const b = cells[row * columns + (right[x] as number)] as number
        wide[row * width + x] = a + (b - a) * (u[x] as number)
      }
    let least = Infinity
    let most = -Infinity
    const { low: top, high: bottom, weight: v } = this.#down
    for (let y = 0; y < this.#height; y++) {
      const above = (top[y] as number) * width
      const below = (bottom[y] as number) * width
      const share = v[y] as number
      for (let x = 0; x < width; x++) {
        const a = wide[above + x] as number
        const value = a + ((wide[below + x] as number) - a) * share
        mask[y * width + x] = value
        if (value < least) least = value
        if (value > most) most = value
      }
    }
    const scale = 1 / (most - least + LEAST_RANGE)
    for (let at = 0; at < mask.length; at++) mask[at] = ((mask[at] as number) - least) * scale
  }
}
