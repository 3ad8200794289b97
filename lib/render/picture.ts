/** Maps as PNG files: alone, and over their picture. */
import sharp from 'sharp'
import type { FloatTensor } from '../tensor/tensor.ts'
import type { Placement } from '../image/preprocess.ts'
import { AppError } from '../errors.ts'
import { COLOUR_MAPS } from './colour-maps.ts'
import type { ColourMap, ColourMapId } from './colour-maps.ts'
import { normaliseForDisplay } from './normalise.ts'
import { placeOnPicture } from './upsample.ts'

export interface MapPicture {
  /** Raw and signed: [h, w]. */
  readonly map: FloatTensor
  /** The part of the picture that the map covers. */
  readonly placement: Placement
  readonly colourMap: ColourMapId
  /** true: only what speaks for the class, 0..max; false: both sides of zero on one scale. */
  readonly rectify: boolean
  /** 0..1; default 1. */
  readonly opacity?: number
}

export interface RgbPicture {
  readonly width: number
  readonly height: number
  /** [height, width, 3] */
  readonly rgb: Uint8Array
}

/** A picture made smaller, for a thumbnail. */
export async function reducePicture({ rgb, ...from }: RgbPicture, width: number, height: number): Promise<RgbPicture> {
  const pixels = sharp(rgb, { raw: { ...from, channels: 3 } }).resize(width, height, { fit: 'fill' })
  return { width, height, rgb: new Uint8Array(await pixels.raw().toBuffer()) }
}

function checkedOpacity(opacity = 1): number {
  if (opacity >= 0 && opacity <= 1) return opacity
  throw new AppError({
    code: 'BAD_PARAMETER',
    message: `opacity ${opacity}`,
    userMessage: 'Opacity has to be a number from 0 to 1.',
    details: { opacity },
  })
}

/**
 * The row of the colour table for a display value. Zero is the middle of a diverging map, rectified or not; on a
 * sequential one it is the low end when rectified, else the middle.
 */
function tableRow(value: number, kind: ColourMap['kind'], rectify: boolean): number {
  const share = kind === 'sequential' && rectify ? value : (value + 1) / 2
  return Math.round(Math.min(Math.max(share, 0), 1) * 255)
}

/** Calls `paint` with the colour of each pixel under the map, in the table of `picture`. */
function paintMap(
  picture: MapPicture,
  width: number,
  height: number,
  paint: (pixel: number, table: Uint8Array, at: number) => void,
): void {
  const { kind, table } = COLOUR_MAPS[picture.colourMap]
  // Rectified before it is enlarged, so that a negative cell takes nothing from its neighbours.
  const shown = normaliseForDisplay(picture.map, { rectify: picture.rectify })
  placeOnPicture(shown, picture.placement, width, height).data.forEach((value, pixel) => {
    if (!Number.isNaN(value)) paint(pixel, table, tableRow(value, kind, picture.rectify) * 3)
  })
}

/**
 * The map alone: a PNG with transparency, to lie on a picture of any size.
 * @returns RGBA, width x height; alpha is `opacity` under the placement and 0 outside it
 * @throws AppError BAD_RESULT for a map that is not finite, BAD_PARAMETER for an opacity outside 0..1
 */
export async function renderHeat(picture: MapPicture, width: number, height: number): Promise<Uint8Array> {
  const alpha = Math.round(checkedOpacity(picture.opacity) * 255)
  const rgba = new Uint8Array(width * height * 4)
  paintMap(picture, width, height, (pixel, table, at) => {
    rgba[pixel * 4] = table[at] ?? 0
    rgba[pixel * 4 + 1] = table[at + 1] ?? 0
    rgba[pixel * 4 + 2] = table[at + 2] ?? 0
    rgba[pixel * 4 + 3] = alpha
  })
  return new Uint8Array(
    await sharp(rgba, { raw: { width, height, channels: 4 } })
      .png()
      .toBuffer(),
  )
}

/**
 * The map over its picture: an opaque PNG of the picture's extent, untouched outside the placement.
 * @param under the upright picture, such as a DecodedImage
 * @throws AppError as {@link renderHeat}
 */
export async function renderOverlay(picture: MapPicture, under: RgbPicture): Promise<Uint8Array> {
  const { width, height } = under
  const opacity = checkedOpacity(picture.opacity)
  const rgb = Uint8Array.from(under.rgb)
  paintMap(picture, width, height, (pixel, table, at) => {
    for (let channel = 0; channel < 3; channel++) {
      const below = rgb[pixel * 3 + channel] ?? 0
      rgb[pixel * 3 + channel] = Math.round(below + ((table[at + channel] ?? 0) - below) * opacity)
    }
  })
  return new Uint8Array(
    await sharp(rgb, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer(),
  )
}
