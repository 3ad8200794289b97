/**
 * The units of a picture in the numbers a model is fed: what black, a colour, the mean and a blur are there, and how far
 * values can go. The feed is (level in 0..255 - mean) / std a channel, so anything linear in the picture is in the feed too.
 *
 * Letters: C channels, H x W extent of the feed.
 */
import type { ImagePreprocessing } from '../models/card.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import { gaussianWeights, mirrored } from './blur.ts'
import { channelsOf } from './preprocess.ts'

export interface PictureUnits {
  /** The feed's values for the levels 0 and 255, a channel each, [C]. */
  readonly lowest: readonly number[]
  readonly highest: readonly number[]
  /** One colour everywhere, [1, C, H, W]. @param rgb levels 0..255, red first whatever the model's order */
  colour(rgb: readonly [number, number, number]): FloatTensor
  /** A picture's mean colour everywhere, [1, C, H, W]. */
  mean(picture: FloatTensor): FloatTensor
  /** The picture in levels, red first whatever the model's order, [H, W, 3]; of a grey one three times the same. */
  levels(picture: FloatTensor): Float64Array
  /**
   * A picture blurred by a Gaussian, edges mirrored, [1, C, H, W].
   * @param sigma standard deviation in pixels of the feed, above 0
   */
  blurred(picture: FloatTensor, sigma: number): FloatTensor
}

function filled(values: readonly number[], height: number, width: number): FloatTensor {
  const plane = height * width
  const data = new Float32Array(values.length * plane)
  values.forEach((value, channel) => data.fill(value, channel * plane, (channel + 1) * plane))
  return float32(data, [1, values.length, height, width])
}

/** Cut at three standard deviations. */
function gaussian(sigma: number): { weights: Float64Array; radius: number } {
  const radius = Math.max(1, Math.ceil(3 * sigma))
  return { weights: gaussianWeights(sigma, radius), radius }
}

/** One pass along an axis: `stride` between neighbours, `extent` of them, over all starts. */
function blurAlong(
  data: Float64Array,
  extent: number,
  stride: number,
  kernel: ReturnType<typeof gaussian>,
): Float64Array {
  const { weights, radius } = kernel
  const blurred = new Float64Array(data.length)
  for (let at = 0; at < data.length; at += 1) {
    const place = Math.floor(at / stride) % extent
    const start = at - place * stride
    let sum = 0
    for (let tap = -radius; tap <= radius; tap += 1)
      sum += (weights[tap + radius] ?? 0) * (data[start + mirrored(place + tap, extent) * stride] ?? 0)
    blurred[at] = sum
  }
  return blurred
}

/** A colour's level in a channel of the feed. */
function levelOf(
  [red, green, blue]: readonly [number, number, number],
  colour: ImagePreprocessing['colour'],
  channel: number,
): number {
  if (colour === 'L') return (19595 * red + 38470 * green + 7471 * blue) / 0x10000
  return [red, green, blue][colour === 'RGB' ? channel : 2 - channel] ?? 0
}

/** @param preprocessing what made the feed */
export function pictureUnits(preprocessing: ImagePreprocessing): PictureUnits {
  const { width, height, std, colour } = preprocessing
  const mean = preprocessing.mean.slice(0, channelsOf(preprocessing))
  const feedOf = (level: number, channel: number): number => (level - (mean[channel] ?? 0)) / (std[channel] ?? 1)
  return {
    lowest: mean.map((_, channel) => feedOf(0, channel)),
    highest: mean.map((_, channel) => feedOf(255, channel)),
    colour: (rgb) =>
      filled(
        mean.map((_, channel) => feedOf(levelOf(rgb, colour, channel), channel)),
        height,
        width,
      ),
    mean: ({ data, dims }) => {
      const [, channels = 0, rows = 0, columns = 0] = dims
      const plane = rows * columns
      const means = Array.from({ length: channels }, (_, channel) => {
        let sum = 0
        for (let at = channel * plane; at < (channel + 1) * plane; at += 1) sum += data[at] ?? 0
        return sum / plane
      })
      return filled(means, rows, columns)
    },
    levels: ({ data, dims }) => {
      const [, channels = 0, rows = 0, columns = 0] = dims
      const plane = rows * columns
      const rgb = new Float64Array(3 * plane)
      for (let shown = 0; shown < 3; shown += 1) {
        const channel = channels === 1 ? 0 : colour === 'BGR' ? 2 - shown : shown
        for (let at = 0; at < plane; at += 1)
          rgb[3 * at + shown] = (data[channel * plane + at] ?? 0) * (std[channel] ?? 1) + (mean[channel] ?? 0)
      }
      return rgb
    },
    blurred: ({ data, dims }, sigma) => {
      const [, , rows = 0, columns = 0] = dims
      const kernel = gaussian(sigma)
      const down = blurAlong(Float64Array.from(data), rows, columns, kernel)
      return float32(Float32Array.from(blurAlong(down, columns, 1, kernel)), dims)
    },
  }
}
