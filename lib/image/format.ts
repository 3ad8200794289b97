/** Recognises a file by its first bytes, before any decoder sees it. */

/** The formats Limelight reads: raster pictures only. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'avif' | 'tiff'

/** For sentences to users. */
export const IMAGE_FORMATS_SPOKEN = 'JPEG, PNG, WebP, GIF, AVIF or TIFF'

export type SniffedFormat =
  | { readonly kind: 'readable'; readonly format: ImageFormat }
  /** A known format that is not read; `name` is what people call it. */
  | { readonly kind: 'refused'; readonly name: string; readonly advice: string }
  | { readonly kind: 'unknown' }

const latin1 = new TextDecoder('latin1')
const ascii = (bytes: Uint8Array, start: number, end: number): string => latin1.decode(bytes.subarray(start, end))

const HEIC_BRANDS: ReadonlySet<string> = new Set([
  'heic',
  'heix',
  'heim',
  'heis',
  'hevc',
  'hevx',
  'hevm',
  'hevs',
  'mif1',
  'msf1',
])

const EXPORT = 'Export it as a JPEG or PNG and try again.'

/** Signatures of files that people do drop here by mistake; the offset is 0. */
const REFUSED: readonly (readonly [prefix: string, name: string, advice: string])[] = [
  ['BM', 'BMP', EXPORT],
  ['%PDF', 'PDF', 'Export the page as a JPEG or PNG and try again.'],
  ['8BPS', 'Photoshop (PSD)', EXPORT],
  ['\x00\x00\x01\x00', 'icon (ICO)', EXPORT],
  ['\xff\x0a', 'JPEG XL', EXPORT],
  ['\x00\x00\x00\x0cJXL ', 'JPEG XL', EXPORT],
  ['\x00\x00\x00\x0cjP  ', 'JPEG 2000', EXPORT],
  ['\xff\x4f\xff\x51', 'JPEG 2000', EXPORT],
  ['\x76\x2f\x31\x01', 'OpenEXR', EXPORT],
  ['#?RADIANCE', 'Radiance HDR', EXPORT],
  ['PK\x03\x04', 'ZIP', 'Unpack it and choose one picture.'],
]

function sniffIsoMedia(bytes: Uint8Array): SniffedFormat {
  const boxLength = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
  const brands = [ascii(bytes, 8, 12)]
  if (brands[0] === 'avis')
    return { kind: 'refused', name: 'Animated AVIF', advice: 'Export one frame as a JPEG or PNG and try again.' }
  // The compatible brands follow the major brand and a version number.
  for (let at = 16; at + 4 <= Math.min(boxLength, bytes.length, 256); at += 4) brands.push(ascii(bytes, at, at + 4))
  if (brands.includes('avif')) return { kind: 'readable', format: 'avif' }
  if (brands.some((brand) => HEIC_BRANDS.has(brand))) return { kind: 'refused', name: 'HEIC', advice: EXPORT }
  return { kind: 'refused', name: 'video', advice: 'Export one frame as a JPEG or PNG and try again.' }
}

/** True for SVG, which starts with any mix of white space, a byte order mark, an XML declaration and comments. */
function looksLikeSvg(bytes: Uint8Array): boolean {
  const start = ascii(bytes, 0, 1024).replaceAll('\x00', '').trimStart()
  return (
    /^(\u00ef\u00bb\u00bf|\u00ff\u00fe|\u00fe\u00ff)?\s*<(\?xml|!doctype svg|!--|svg)/i.test(start) &&
    /<svg/i.test(ascii(bytes, 0, 65536).replaceAll('\x00', ''))
  )
}

/** Tells what a file is by its signature, never by its name. */
export function sniffFormat(bytes: Uint8Array): SniffedFormat {
  const head = ascii(bytes, 0, 16)
  if (head.startsWith('\xff\xd8\xff')) return { kind: 'readable', format: 'jpeg' }
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return { kind: 'readable', format: 'png' }
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return { kind: 'readable', format: 'gif' }
  if (head.startsWith('RIFF') && head.startsWith('WEBP', 8)) return { kind: 'readable', format: 'webp' }
  // 42 is TIFF, 43 is BigTIFF, in either byte order.
  if (/^(II[*+]\x00|MM\x00[*+])/.test(head)) return { kind: 'readable', format: 'tiff' }
  if (head.startsWith('ftyp', 4)) return sniffIsoMedia(bytes)
  for (const [prefix, name, advice] of REFUSED) if (head.startsWith(prefix)) return { kind: 'refused', name, advice }
  if (looksLikeSvg(bytes))
    return {
      kind: 'refused',
      name: 'SVG',
      advice: 'SVG is a drawing, not pixels: export it as a PNG and try again.',
    }
  return { kind: 'unknown' }
}

/** True for an animated PNG: its `acTL` chunk stands before the pixels. The PNG decoder itself knows one frame only. */
export function isAnimatedPng(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 8; at + 8 <= bytes.length; at += view.getUint32(at) + 12) {
    const type = ascii(bytes, at + 4, at + 8)
    if (type === 'acTL') return true
    if (type === 'IDAT') return false
  }
  return false
}
