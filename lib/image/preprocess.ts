/** From a decoded picture to what an image model is fed, and where on the picture that lies. */
import { float32 } from '../tensor/tensor.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import type { ImagePreprocessing } from '../models/card.ts'
import type { DecodedImage } from './decode.ts'
import { resample } from './resample.ts'

/** The part of the upright picture that the model saw, in fractions of the picture's width and height. */
export interface Placement {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/**
 * Which part of a picture a model sees: all of it for 'squash'; for 'crop' the largest centred window of the input's
 * aspect ratio, times `cropFraction` (1 when not given).
 */
export function placementOf(width: number, height: number, preprocessing: ImagePreprocessing): Placement {
  if (preprocessing.resize === 'squash') return { x: 0, y: 0, width: 1, height: 1 }
  const fraction = preprocessing.cropFraction ?? 1
  const scale = Math.min(width / preprocessing.width, height / preprocessing.height) * fraction
  const shareAcross = (preprocessing.width * scale) / width
  const shareDown = (preprocessing.height * scale) / height
  return { x: (1 - shareAcross) / 2, y: (1 - shareDown) / 2, width: shareAcross, height: shareDown }
}

export function channelsOf({ colour }: Pick<ImagePreprocessing, 'colour'>): number {
  return colour === 'L' ? 1 : 3
}

/** What a card says, for a network that takes so many channels: of one, grey, whatever order the card has for three. */
export function forChannels(
  preprocessing: ImagePreprocessing,
  channels: number | null | undefined,
): ImagePreprocessing {
  return channels === 1 ? { ...preprocessing, colour: 'L' } : preprocessing
}

/** Each pixel's luminance (ITU-R 601-2) in all three places, rounded as Pillow's convert('L') rounds it. */
function luminance(rgb: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgb.length)
  for (let at = 0; at < rgb.length; at += 3) {
    const [red = 0, green = 0, blue = 0] = rgb.subarray(at, at + 3)
    grey.fill((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16, at, at + 3)
  }
  return grey
}

/**
 * Resizes and normalises a picture as a model card says. Deterministic.
 *
 * The resampling is antialiased ({@link resample}), with the card's `filter`; no rounding in between. `mean` and `std` are in
 * the channel order of the feed: for 'BGR' the first of each belongs to blue. Grey is made before it is resized. The layout is
 * always [1, C, H, W]: engines turn it where their file wants another.
 *
 * @returns `feed` [1, C, H, W], (value in 0..255 - mean) / std; `placement` what of the picture it shows
 */
export function preprocessImage(
  image: DecodedImage,
  preprocessing: ImagePreprocessing,
): Promise<{ feed: FloatTensor; placement: Placement }> {
  const { width, height, mean, std } = preprocessing
  const placement = placementOf(image.width, image.height, preprocessing)
  const box = {
    x: placement.x * image.width,
    y: placement.y * image.height,
    width: placement.width * image.width,
    height: placement.height * image.height,
  }
  const channels = channelsOf(preprocessing)
  const rgb = channels === 1 ? luminance(image.rgb) : image.rgb
  const pixels = resample(rgb, image.width, image.height, box, width, height, preprocessing.filter) // [H, W, 3]
  const plane = width * height
  const feed = new Float32Array(channels * plane)
  for (let channel = 0; channel < channels; channel++) {
    const source = preprocessing.colour === 'BGR' ? 2 - channel : channel
    const offset = mean[channel] ?? 0
    const divisor = std[channel] ?? 1
    for (let at = 0; at < plane; at++) feed[channel * plane + at] = ((pixels[at * 3 + source] ?? 0) - offset) / divisor
  }
  return Promise.resolve({ feed: float32(feed, [1, channels, height, width]), placement })
}
