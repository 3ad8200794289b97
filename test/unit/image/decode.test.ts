import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../lib/errors.ts'
import { decodeImage, encodeImage, MAX_IMAGE_BYTES } from '../../../lib/image/decode.ts'
import {
  FORMATS,
  animated,
  animatedPng,
  cmykJpeg,
  displayP3Png,
  encoded,
  exifRotatedJpeg,
  floatTiff,
  greyscale,
  heicHeader,
  jpegClaiming,
  largestDifference,
  pixelAt,
  pngClaiming,
  quarters,
  sixteenBitPng,
  svg,
  transparentPng,
  truncated,
  twoPageTiff,
} from '../../helpers/images.ts'

async function refusal(bytes: Uint8Array): Promise<AppError> {
  try {
    const image = await decodeImage(bytes)
    throw new Error(`decoded to ${image.width} x ${image.height}`)
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

describe('pictures that are read', () => {
  // Lossy formats may be a little off in places; a palette is chosen for GIF.
  const TOLERANCE = { jpeg: 24, png: 0, webp: 0, gif: 12, avif: 2, tiff: 0 } as const

  it.each(FORMATS)('%s: extent, colours, hash of the original bytes, no note', async (format) => {
    const bytes = await encoded(format)
    const image = await decodeImage(bytes)
    expect(image).toMatchObject({ format, width: 120, height: 80, originalWidth: 120, originalHeight: 80 })
    expect(image.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(image.rgb).toHaveLength(120 * 80 * 3)
    expect(largestDifference(image, quarters())).toBeLessThanOrEqual(TOLERANCE[format])
    expect(image.diagnoses).toEqual([])
  })

  it('gives identical bytes twice', async () => {
    const bytes = await encoded('jpeg', quarters(3000, 500))
    expect(Buffer.from((await decodeImage(bytes)).rgb).equals((await decodeImage(bytes)).rgb)).toBe(true)
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('EXIF orientation %i is shown upright', async (orientation) => {
    const bytes = await exifRotatedJpeg(orientation)
    const image = await decodeImage(bytes)
    expect(image).toMatchObject({ width: 120, height: 80, originalWidth: 120, originalHeight: 80, diagnoses: [] })
    expect(largestDifference(image, quarters())).toBeLessThanOrEqual(24)
  })

  it('the bound on the kept side applies to the upright picture', async () => {
    const image = await decodeImage(await exifRotatedJpeg(6, quarters(1000, 4096)))
    expect(image).toMatchObject({ originalWidth: 1000, originalHeight: 4096, width: 500, height: 2048 })
    expect(largestDifference({ ...image }, quarters(500, 2048))).toBeLessThan(110) // blurred at the quarters' edges
    expect(pixelAt(image, 20, 20)[0]).toBeGreaterThan(190)
  })

  it('CMYK is converted to sRGB, with a note', async () => {
    const image = await decodeImage(await cmykJpeg())
    expect(image.diagnoses.map((one) => one.message)).toEqual([expect.stringContaining('CMYK')])
    const [red, green, blue] = pixelAt(image, 20, 15)
    expect(red).toBeGreaterThan(160)
    expect(Math.max(green, blue)).toBeLessThan(110)
    expect(pixelAt(image, 30, 65)[2]).toBeGreaterThan(120)
  })

  it.each(['gif', 'webp'] as const)('animated %s: first frame, with a note', async (format) => {
    const image = await decodeImage(await animated(format))
    expect(image).toMatchObject({ width: 120, height: 80 })
    expect(largestDifference(image, quarters())).toBeLessThanOrEqual(16)
    expect(image.diagnoses).toEqual([
      { code: 'INPUT_CONVERTED', severity: 'info', message: expect.stringContaining('2 frames') },
    ])
  })

  it('animated PNG: first frame, with a note', async () => {
    const image = await decodeImage(await animatedPng())
    expect(largestDifference(image, quarters())).toBe(0)
    expect(image.diagnoses.map((one) => one.message)).toEqual([expect.stringContaining('animated')])
  })

  it('a TIFF of several pages: the first one, with a note', async () => {
    const image = await decodeImage(await twoPageTiff())
    expect(image).toMatchObject({ width: 120, height: 80 })
    expect(largestDifference(image, quarters())).toBe(0)
    expect(image.diagnoses.map((one) => one.message)).toEqual([expect.stringContaining('2 pages')])
  })

  it('a broken colour profile does not cost the picture', async () => {
    const bytes = Buffer.from(await displayP3Png())
    const profile = bytes.indexOf('iCCP')
    bytes.fill(0x5a, profile + 10, profile + 60)
    expect(await decodeImage(bytes)).toMatchObject({ width: 120, height: 80 })
  })

  it('16 bits a channel are reduced to 8, with a note', async () => {
    const image = await decodeImage(await sixteenBitPng())
    expect(largestDifference(image, quarters())).toBeLessThanOrEqual(1)
    expect(image.diagnoses.map((one) => one.message)).toEqual([expect.stringContaining('16 bits')])
  })

  it.each(['jpeg', 'png'] as const)('greyscale %s has three equal channels', async (format) => {
    const image = await decodeImage(await greyscale(format))
    expect(image.rgb).toHaveLength(120 * 80 * 3)
    const [red, green, blue] = pixelAt(image, 90, 60)
    expect([green, blue]).toEqual([red, red])
    expect(image.diagnoses).toEqual([])
  })

  it('transparency is laid on white, with a note', async () => {
    const image = await decodeImage(await transparentPng(0))
    expect(pixelAt(image, 100, 20)).toEqual([255, 255, 255])
    expect(pixelAt(image, 20, 20)).toEqual(pixelAt(quarters(), 20, 20))
    expect(image.diagnoses.map((one) => one.message)).toEqual([expect.stringContaining('transparent')])
    const half = await decodeImage(await transparentPng(51)) // 0.2 opaque
    expect(pixelAt(half, 100, 20)).toEqual(pixelAt(quarters(), 100, 20).map((v) => Math.round(0.2 * v + 0.8 * 255)))
  })

  it('an alpha channel that is opaque everywhere is no news', async () => {
    const image = await decodeImage(await transparentPng(255))
    expect(largestDifference(image, quarters())).toBe(0)
    expect(image.diagnoses).toEqual([])
  })

  it('an embedded wide-gamut profile is converted to sRGB', async () => {
    const bytes = await displayP3Png()
    const stored = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer()
    // The numbers in the file are others, or this would prove nothing.
    expect(largestDifference({ width: 120, height: 80, rgb: stored }, quarters())).toBeGreaterThan(8)
    expect(largestDifference(await decodeImage(bytes), quarters())).toBeLessThanOrEqual(4)
  })

  it.each([
    [20, 1000],
    [1000, 20],
    [8, 400],
  ])('keeps an aspect ratio of 1:50 (%i x %i)', async (width, height) => {
    const image = await decodeImage(await encoded('png', quarters(width, height)))
    expect(image).toMatchObject({ width, height })
  })

  it('never scales a side away', async () => {
    expect(await decodeImage(await encoded('png', quarters(20000, 8)))).toMatchObject({ width: 2048, height: 1 })
  })

  it.each(['png', 'webp'] as const)('encodeImage to %s loses nothing', async (format) => {
    const image = await decodeImage(await encoded('jpeg'))
    expect(Buffer.from((await decodeImage(await encodeImage(image, format))).rgb).equals(image.rgb)).toBe(true)
  })

  it('encodeImage to jpeg stays close', async () => {
    const image = await decodeImage(await encoded('png'))
    expect(largestDifference(await decodeImage(await encodeImage(image, 'jpeg')), image)).toBeLessThanOrEqual(40)
  })
})

describe('pictures that are refused', () => {
  it('an empty file', async () => {
    expect(await refusal(new Uint8Array())).toMatchObject({
      code: 'BAD_IMAGE',
      userMessage: expect.stringMatching(/empty/),
    })
  })

  it.each([
    ['text', Buffer.from('hello, this is no picture at all'), /not a picture/],
    ['one byte', Buffer.from([0xff]), /not a picture/],
    ['zeros', Buffer.alloc(4096), /not a picture/],
    ['HTML', Buffer.from('<!doctype html><html><body><svg></svg></body></html>'), /not a picture/],
    ['HEIC', heicHeader(), /HEIC files are not supported.*JPEG/],
    ['SVG', svg(), /SVG files are not supported.*PNG/],
    ['BMP', Buffer.from('BM' + '\0'.repeat(60), 'latin1'), /BMP files are not supported/],
    ['PDF', Buffer.from('%PDF-1.7\n'), /PDF files are not supported/],
    ['MP4', Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isommp42', 'latin1'), /video files are not supported/],
    [
      'animated AVIF',
      Buffer.from('\0\0\0\x18ftypavis\0\0\0\0avifavis', 'latin1'),
      /Animated AVIF files are not supported/,
    ],
    ['a bare signature', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), /damaged/],
  ])('%s', async (_, bytes, sentence) => {
    expect(await refusal(bytes)).toMatchObject({ code: 'BAD_IMAGE', userMessage: expect.stringMatching(sentence) })
  })

  it.each(FORMATS)('a truncated %s', async (format) => {
    const bytes = await encoded(format, quarters(300, 200))
    for (const share of [0.1, 0.3, 0.5, 0.7, 0.9, 0.97])
      expect(await refusal(truncated(bytes, share)), `first ${share} of the file`).toMatchObject({
        code: 'BAD_IMAGE',
        userMessage: expect.stringContaining('cut off'),
      })
  })

  it('a large truncated JPEG that would be scaled while it is read', async () => {
    const bytes = await encoded('jpeg', quarters(5000, 3000))
    expect(await refusal(truncated(bytes, 0.8))).toMatchObject({ code: 'BAD_IMAGE' })
  })

  it.each([
    [1, 1],
    [1, 500],
    [7, 7],
    [300, 7],
  ])('%i x %i pixels', async (width, height) => {
    expect(await refusal(await encoded('png', quarters(width, height)))).toMatchObject({
      code: 'BAD_IMAGE',
      userMessage: expect.stringContaining(`${width} × ${height} pixels`),
    })
  })

  it('8 x 8 pixels are enough', async () => {
    expect(await decodeImage(await encoded('png', quarters(8, 8)))).toMatchObject({ width: 8, height: 8 })
  })

  it('more than 20 MB, before anything else is looked at', async () => {
    expect(await refusal(Buffer.alloc(MAX_IMAGE_BYTES + 1))).toMatchObject({
      code: 'IMAGE_TOO_LARGE',
      userMessage: expect.stringContaining('at most 20 MB'),
    })
    expect(await refusal(Buffer.alloc(MAX_IMAGE_BYTES))).toMatchObject({ code: 'BAD_IMAGE' })
  })

  it('more than 100 megapixels, by the header', async () => {
    for (const bytes of [pngClaiming(10_001, 10_000), pngClaiming(50_000, 50_000), await jpegClaiming(65_000, 65_000)])
      expect(await refusal(bytes)).toMatchObject({
        code: 'IMAGE_TOO_LARGE',
        userMessage: expect.stringContaining('at most 100 megapixels'),
      })
    // At the bound the header is accepted, and this file then turns out to have no pixels.
    expect(await refusal(pngClaiming(10_000, 10_000))).toMatchObject({ code: 'BAD_IMAGE' })
  })

  it('a PNG that claims more than its decoder allows', async () => {
    expect(await refusal(pngClaiming(0x7fffffff, 0x7fffffff))).toMatchObject({ code: 'BAD_IMAGE' })
  })

  it('pixels that are floating-point numbers', async () => {
    expect((await sharp(floatTiff()).metadata()).depth).toBe('float')
    expect(await refusal(floatTiff())).toMatchObject({
      code: 'BAD_IMAGE',
      userMessage: expect.stringContaining('not 8-bit or 16-bit numbers'),
    })
  })

  it('a file whose signature belongs to another format', async () => {
    const bytes = await encoded('png')
    const disguised = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), bytes])
    expect(await refusal(disguised)).toMatchObject({ code: 'BAD_IMAGE' })
  })

  it('noise behind a sound signature', async () => {
    for (const format of FORMATS) {
      const bytes = Buffer.from(await encoded(format))
      for (let at = 32; at < bytes.length; at++) bytes[at] = (at * 197 + 41) % 256
      expect(await refusal(bytes), format).toMatchObject({ code: 'BAD_IMAGE' })
    }
  })
})
