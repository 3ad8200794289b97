/**
 * From the bytes of a file to upright sRGB pixels, or to an error that says what is wrong with the file.
 *
 * Letters: H height, W width of the upright picture.
 */
import { createHash } from 'node:crypto'
import sharp from 'sharp'
import type { Metadata, Sharp, SharpOptions } from 'sharp'
import { AppError } from '../errors.ts'
import { IMAGE_FORMATS_SPOKEN, isAnimatedPng, sniffFormat } from './format.ts'
import type { ImageFormat } from './format.ts'

/** Largest file read: 20 MB (decimal). */
export const MAX_IMAGE_BYTES = 20_000_000
/** Largest picture decoded: 100 megapixels, taken from the header before a pixel is decoded. */
const MAX_IMAGE_PIXELS = 100_000_000
/** Shortest side that still shows anything; the smallest favicon has 16. */
const MIN_IMAGE_SIDE = 8
/** Longer side of the pixels that are kept. */
const MAX_KEPT_SIDE = 2048

/** A sentence about what was done to the picture; has the form of a method's Diagnosis. */
interface ImageNote {
  readonly code: 'INPUT_CONVERTED'
  readonly severity: 'info'
  readonly message: string
}

export interface DecodedImage {
  /** Of the original bytes, in hexadecimal. */
  readonly sha256: string
  readonly format: string
  /** Extent of the picture in the file, upright. */
  readonly originalWidth: number
  readonly originalHeight: number
  /** Extent of `rgb`. */
  readonly width: number
  readonly height: number
  /** [height, width, 3], upright, sRGB, 8 bits, longer side at most {@link MAX_KEPT_SIDE}. */
  readonly rgb: Uint8Array
  readonly diagnoses: readonly ImageNote[]
}

const note = (message: string): ImageNote => ({ code: 'INPUT_CONVERTED', severity: 'info', message })
const megapixels = (width: number, height: number): string => `${((width * height) / 1e6).toFixed(1)} megapixels`

function badImage(message: string, userMessage: string, cause?: unknown): AppError {
  return new AppError({ code: 'BAD_IMAGE', message, userMessage, cause })
}

const SPOKEN: Readonly<Record<ImageFormat, string>> = {
  jpeg: 'JPEG',
  png: 'PNG',
  webp: 'WebP',
  gif: 'GIF',
  avif: 'AVIF',
  tiff: 'TIFF',
}

function damaged(format: ImageFormat, cause: unknown): AppError {
  const decoder = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
  return badImage(
    `${format}: ${decoder}`,
    `This ${SPOKEN[format]} file is damaged, was cut off on its way here, or is of a variant that is not read. Open it in a picture viewer, save it as a JPEG or PNG, and try that copy.`,
    cause,
  )
}

/** Refuses what is no readable picture by its size and signature alone. */
function checkedFormat(bytes: Uint8Array): ImageFormat {
  if (bytes.length === 0) throw badImage('empty file', 'The file is empty. Choose a picture.')
  if (bytes.length > MAX_IMAGE_BYTES)
    throw new AppError({
      code: 'IMAGE_TOO_LARGE',
      message: `${bytes.length} bytes, at most ${MAX_IMAGE_BYTES}`,
      userMessage: `The file has ${(bytes.length / 1e6).toFixed(1)} MB; at most 20 MB are read. Save it smaller, for instance as a JPEG.`,
      details: { bytes: bytes.length, limit: MAX_IMAGE_BYTES },
    })
  const sniffed = sniffFormat(bytes)
  if (sniffed.kind === 'refused')
    throw badImage(
      `${sniffed.name} is not read`,
      `${sniffed.name} files are not supported; a picture has to be ${IMAGE_FORMATS_SPOKEN}. ${sniffed.advice}`,
    )
  if (sniffed.kind === 'unknown')
    throw badImage('no known signature', `This is not a picture. Choose a ${IMAGE_FORMATS_SPOKEN} file.`)
  return sniffed.format
}

/** Refuses what the header alone shows to be too large, too small or of no colour. */
function checkHeader(header: Metadata): void {
  const { width, height } = header.autoOrient
  if (width * height > MAX_IMAGE_PIXELS)
    throw new AppError({
      code: 'IMAGE_TOO_LARGE',
      message: `${width} x ${height} pixels, at most ${MAX_IMAGE_PIXELS}`,
      userMessage: `The picture has ${width} × ${height} pixels (${megapixels(width, height)}); at most 100 megapixels are read. Scale it down and try again.`,
      details: { width, height, limit: MAX_IMAGE_PIXELS },
    })
  if (Math.min(width, height) < MIN_IMAGE_SIDE)
    throw badImage(
      `${width} x ${height} pixels, each side at least ${MIN_IMAGE_SIDE}`,
      `The picture has ${width} × ${height} pixels, too few to show anything; each side needs at least ${MIN_IMAGE_SIDE}. Choose a larger picture.`,
    )
  if (header.depth !== 'uchar' && header.depth !== 'ushort')
    throw badImage(
      `sample type ${header.depth}`,
      'The pixels of this file are not 8-bit or 16-bit numbers. Save it as a JPEG or PNG and try again.',
    )
}

function headerNotes(header: Metadata, animatedPng: boolean): ImageNote[] {
  const notes: ImageNote[] = []
  if (animatedPng) notes.push(note('This picture is animated; the first frame was used.'))
  const pages = header.pages ?? 1
  if (pages > 1 && header.format === 'tiff') notes.push(note(`This file has ${pages} pages; the first one was used.`))
  else if (pages > 1) notes.push(note(`This picture is animated (${pages} frames); the first frame was used.`))
  if (header.space === 'cmyk')
    notes.push(note('This picture is in CMYK, the colours of printing; it was converted to sRGB.'))
  if (header.depth === 'ushort') notes.push(note('This picture has 16 bits a channel; it was reduced to 8.'))
  return notes
}

/** Extent of the kept pixels: that of the picture, or scaled so that the longer side is {@link MAX_KEPT_SIDE}. */
function keptExtent(width: number, height: number): { width: number; height: number } {
  const scale = Math.min(1, MAX_KEPT_SIDE / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

/** [H, W, 4] -> [H, W, 3] on white; `transparent` tells whether any pixel was not opaque. */
function flattenOnWhite(rgba: Uint8Array): { rgb: Uint8Array; transparent: boolean } {
  const rgb = new Uint8Array((rgba.length / 4) * 3)
  let transparent = false
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    const alpha = rgba[from + 3] ?? 255
    if (alpha !== 255) transparent = true
    for (let channel = 0; channel < 3; channel++)
      rgb[to + channel] = Math.round(((rgba[from + channel] ?? 0) * alpha + 255 * (255 - alpha)) / 255)
  }
  return { rgb, transparent }
}

/**
 * Decodes a JPEG, PNG, WebP, GIF, AVIF or TIFF file to upright 8-bit sRGB pixels. Deterministic.
 *
 * Accepted with a note: animated (first frame), several pages (first page), CMYK, 16 bits, transparency (on white).
 * Accepted in silence: EXIF orientation (applied), greyscale, embedded colour profiles (converted to sRGB).
 *
 * @throws AppError BAD_IMAGE: empty, no picture, a format that is not read, damaged or truncated, a side under
 *   {@link MIN_IMAGE_SIDE}; IMAGE_TOO_LARGE: over {@link MAX_IMAGE_BYTES} or {@link MAX_IMAGE_PIXELS}.
 */
export async function decodeImage(bytes: Uint8Array): Promise<DecodedImage> {
  const format = checkedFormat(bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')

  // 'error' fails on missing pixel data of any format; 'warning' would refuse sound files over cosmetic defects.
  const options: SharpOptions = { failOn: 'error', limitInputPixels: false }
  let header: Metadata
  try {
    header = await sharp(bytes, options).metadata()
  } catch (cause) {
    throw damaged(format, cause)
  }
  // The decoder picks by signature too; where it disagrees with ours, the file is not what it says.
  if (header.format !== (format === 'avif' ? 'heif' : format)) throw damaged(format, `decoder found ${header.format}`)
  checkHeader(header)

  const { width: originalWidth, height: originalHeight } = header.autoOrient
  const kept = keptExtent(originalWidth, originalHeight)
  let pixels: { data: Uint8Array; info: { width: number; height: number; channels: number } }
  try {
    let pipeline: Sharp = sharp(bytes, { ...options, limitInputPixels: MAX_IMAGE_PIXELS }).autoOrient()
    if (kept.width !== originalWidth || kept.height !== originalHeight)
      pipeline = pipeline.resize(kept.width, kept.height, { fit: 'fill', kernel: 'lanczos3' })
    pixels = await pipeline.toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  } catch (cause) {
    throw damaged(format, cause)
  }

  const { data, info } = pixels
  if ((info.channels !== 3 && info.channels !== 4) || info.width !== kept.width || info.height !== kept.height)
    throw damaged(format, `decoded to ${info.width} x ${info.height} x ${info.channels}`)
  const diagnoses = headerNotes(header, format === 'png' && isAnimatedPng(bytes))
  let rgb: Uint8Array
  if (info.channels === 4) {
    const flat = flattenOnWhite(data)
    rgb = flat.rgb
    if (flat.transparent) diagnoses.push(note('This picture is partly transparent; it was laid on white.'))
  } else rgb = new Uint8Array(data)
  return { sha256, format, originalWidth, originalHeight, ...kept, rgb, diagnoses }
}

/**
 * Writes the kept pixels to a file: 'png' and 'webp' without loss (the bytes decode to the same `rgb`), 'jpeg' at
 * quality 90 without chroma subsampling, for display.
 */
export async function encodeImage(image: DecodedImage, format: 'png' | 'jpeg' | 'webp'): Promise<Uint8Array> {
  const pipeline = sharp(image.rgb, { raw: { width: image.width, height: image.height, channels: 3 } })
  switch (format) {
    case 'png':
      return new Uint8Array(await pipeline.png({ compressionLevel: 6 }).toBuffer())
    case 'webp':
      return new Uint8Array(await pipeline.webp({ lossless: true, effort: 2 }).toBuffer())
    case 'jpeg':
      return new Uint8Array(await pipeline.jpeg({ quality: 90, chromaSubsampling: '4:4:4' }).toBuffer())
  }
}
