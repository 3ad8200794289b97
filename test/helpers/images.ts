/**
 * Pictures for tests, made when the test runs: nothing binary is committed. All have the same content, so that a test
 * can say what a file has to decode to: a red top-left quarter, green top-right, blue bottom-left, grey bottom-right,
 * each with a gentle gradient, so that orientation, colour and geometry show in the pixels.
 */
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import type { Sharp } from 'sharp'

/** [height, width, 3], 8 bits. */
export interface RawPicture {
  readonly width: number
  readonly height: number
  readonly rgb: Uint8Array
}

const QUARTERS = [
  [200, 40, 40],
  [40, 180, 60],
  [40, 60, 200],
  [128, 128, 128],
] as const

export function quarters(width = 120, height = 80): RawPicture {
  const rgb = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const colour = QUARTERS[(y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1)] ?? QUARTERS[0]
      const shade = Math.round((20 * x) / width + (20 * y) / height)
      colour.forEach((value, channel) => (rgb[(y * width + x) * 3 + channel] = value + shade))
    }
  return { width, height, rgb }
}

/** The three channels at a pixel. */
export function pixelAt(picture: RawPicture, x: number, y: number): readonly [number, number, number] {
  const at = (y * picture.width + x) * 3
  return [picture.rgb[at] ?? NaN, picture.rgb[at + 1] ?? NaN, picture.rgb[at + 2] ?? NaN]
}

/** Largest difference of two pictures of one extent. */
export function largestDifference(a: RawPicture, b: RawPicture): number {
  if (a.width !== b.width || a.height !== b.height) return Infinity
  return a.rgb.reduce((worst, value, index) => Math.max(worst, Math.abs(value - (b.rgb[index] ?? NaN))), 0)
}

const pipeline = (picture: RawPicture): Sharp =>
  sharp(picture.rgb, { raw: { width: picture.width, height: picture.height, channels: 3 } })

export const FORMATS = ['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'] as const
export type Format = (typeof FORMATS)[number]

/** The picture in a format at its best quality. */
export function encoded(format: Format, picture = quarters()): Promise<Buffer> {
  const pixels = pipeline(picture)
  switch (format) {
    case 'jpeg':
      return pixels.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer()
    case 'png':
      return pixels.png().toBuffer()
    case 'webp':
      return pixels.webp({ lossless: true }).toBuffer()
    case 'gif':
      return pixels.gif({ dither: 0 }).toBuffer()
    case 'avif':
      return pixels.avif({ lossless: true }).toBuffer()
    case 'tiff':
      return pixels.tiff({ compression: 'lzw' }).toBuffer()
  }
}

/** The first `share` of a file's bytes. */
export const truncated = (bytes: Uint8Array, share: number): Uint8Array =>
  bytes.slice(0, Math.floor(bytes.length * share))

export const cmykJpeg = (picture = quarters()): Promise<Buffer> =>
  pipeline(picture).toColourspace('cmyk').jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer()

export const sixteenBitPng = (picture = quarters()): Promise<Buffer> =>
  pipeline(picture).toColourspace('rgb16').png().toBuffer()

export const greyscale = (format: 'jpeg' | 'png', picture = quarters()): Promise<Buffer> =>
  pipeline(picture).greyscale().toFormat(format).toBuffer()

/** Wide-gamut pixels with their profile: the file's numbers differ from the sRGB ones, the colours do not. */
export const displayP3Png = (picture = quarters()): Promise<Buffer> =>
  pipeline(picture).withIccProfile('p3').png().toBuffer()

/** Left half opaque, right half with the given alpha. */
export function transparentPng(alpha: number, picture = quarters()): Promise<Buffer> {
  const { width, height, rgb } = picture
  const rgba = new Uint8Array(width * height * 4)
  for (let at = 0; at < width * height; at++) {
    rgba.set(rgb.subarray(at * 3, at * 3 + 3), at * 4)
    rgba[at * 4 + 3] = at % width < width / 2 ? 255 : alpha
  }
  return sharp(rgba, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer()
}

/** Frames: the picture, then its negative. */
export function animated(format: 'gif' | 'webp', picture = quarters()): Promise<Buffer> {
  const { width, height, rgb } = picture
  const frames = new Uint8Array(rgb.length * 2)
  frames.set(rgb)
  frames.set(
    rgb.map((value) => 255 - value),
    rgb.length,
  )
  const both = sharp(frames, { raw: { width, height: height * 2, channels: 3, pageHeight: height } })
  return (format === 'gif' ? both.gif({ dither: 0 }) : both.webp({ lossless: true })).toBuffer()
}

/**
 * A JPEG whose EXIF orientation tag says how to turn its pixels, stored so that upright it shows `picture`.
 * @param orientation 1 to 8, as in EXIF
 */
export function exifRotatedJpeg(orientation: number, picture = quarters()): Promise<Buffer> {
  // The inverse of what a viewer does for each tag, as [mirror left to right first, then quarter turns clockwise].
  const inverse: Readonly<Record<number, readonly [boolean, number]>> = {
    1: [false, 0],
    2: [true, 0],
    3: [false, 2],
    4: [true, 2],
    5: [true, 3],
    6: [false, 3],
    7: [true, 1],
    8: [false, 1],
  }
  const [mirror, turns] = inverse[orientation] ?? [false, 0]
  let stored = picture
  if (mirror) stored = remapped(stored, stored.width, stored.height, (x, y) => [stored.width - 1 - x, y])
  for (let turn = 0; turn < turns; turn++) {
    const before = stored
    stored = remapped(before, before.height, before.width, (x, y) => [y, before.height - 1 - x])
  }
  return pipeline(stored).withMetadata({ orientation }).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer()
}

function remapped(
  from: RawPicture,
  width: number,
  height: number,
  source: (x: number, y: number) => readonly [number, number],
): RawPicture {
  const rgb = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rgb.set(pixelAt(from, ...source(x, y)), (y * width + x) * 3)
  return { width, height, rgb }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1
  return crc >>> 0
})

function pngChunk(type: string, body: Uint8Array): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const crc = typed.reduce((sum, byte) => (CRC_TABLE[(sum ^ byte) & 255] ?? 0) ^ (sum >>> 8), 0xffffffff)
  const chunk = Buffer.alloc(typed.length + 8)
  chunk.writeUInt32BE(body.length, 0)
  typed.copy(chunk, 4)
  chunk.writeUInt32BE((crc ^ 0xffffffff) >>> 0, typed.length + 4)
  return chunk
}

/** A PNG of a few bytes whose header claims any extent; its pixel data is one empty row. */
export function pngClaiming(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.alloc(1))),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

/** A PNG with the chunk that announces animation; the frames that follow the first are left out, decoders skip them. */
export async function animatedPng(): Promise<Buffer> {
  const bytes = await encoded('png')
  const afterHeader = 8 + 25
  const control = Buffer.alloc(8)
  control.writeUInt32BE(2, 0)
  return Buffer.concat([bytes.subarray(0, afterHeader), pngChunk('acTL', control), bytes.subarray(afterHeader)])
}

/** A JPEG whose frame header claims any extent. */
export async function jpegClaiming(width: number, height: number): Promise<Buffer> {
  const bytes = await encoded('jpeg')
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]))
  bytes.writeUInt16BE(height, frame + 5)
  bytes.writeUInt16BE(width, frame + 7)
  return bytes
}

/** The first bytes of an iPhone photo: enough to recognise HEIC. */
export const heicHeader = (): Buffer =>
  Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic', 'latin1'), Buffer.alloc(64)])

export const svg = (): Buffer =>
  Buffer.from(
    '<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64"/></svg>',
  )

/** A 16 x 16 grey TIFF of 32-bit floats: IFD entries are tag, type (3: 16 bits, 4: 32 bits), count, value. */
export function floatTiff(): Buffer {
  const entries = [
    [256, 3, 16], // width
    [257, 3, 16], // height
    [258, 3, 32], // bits per sample
    [259, 3, 1], // not compressed
    [262, 3, 1], // black is zero
    [273, 4, 0], // where the pixels start, below
    [277, 3, 1], // samples per pixel
    [278, 3, 16], // rows per strip
    [279, 4, 16 * 16 * 4], // bytes of the strip
    [339, 3, 3], // floating point
  ] as const
  const pixels = 8 + 2 + entries.length * 12 + 4
  const bytes = Buffer.alloc(pixels + 16 * 16 * 4)
  bytes.write('II*\0', 0, 'latin1')
  bytes.writeUInt32LE(8, 4)
  bytes.writeUInt16LE(entries.length, 8)
  entries.forEach(([tag, type, value], index) => {
    const at = 10 + index * 12
    bytes.writeUInt16LE(tag, at)
    bytes.writeUInt16LE(type, at + 2)
    bytes.writeUInt32LE(1, at + 4)
    bytes.writeUInt32LE(tag === 273 ? pixels : value, at + 8)
  })
  for (let at = pixels; at < bytes.length; at += 4) bytes.writeFloatLE(0.5, at)
  return bytes
}

/** The picture, then its negative, as two pages of one TIFF file. */
export function twoPageTiff(picture = quarters()): Promise<Buffer> {
  const { width, height, rgb } = picture
  const both = Buffer.concat([rgb, rgb.map((value) => 255 - value)])
  return sharp(both, { raw: { width, height: height * 2, channels: 3, pageHeight: height } })
    .tiff({ compression: 'lzw' })
    .toBuffer()
}
