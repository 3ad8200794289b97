/** The picture functions of lib/image, imported when the first picture comes: libvips takes its time to load. */
import type { DecodedImage } from '../lib/image/decode.ts'

export interface Imaging {
  /** @throws AppError BAD_IMAGE, IMAGE_TOO_LARGE */
  decode(bytes: Uint8Array): Promise<DecodedImage>
  /** The upright copy that is shown, as JPEG. */
  encodeForDisplay(image: DecodedImage): Promise<Uint8Array>
}

export const DISPLAY_TYPE = 'image/jpeg'

export const imaging: Imaging = {
  async decode(bytes) {
    const { decodeImage } = await import('../lib/image/decode.ts')
    return decodeImage(bytes)
  },
  async encodeForDisplay(image) {
    const { encodeImage } = await import('../lib/image/decode.ts')
    return encodeImage(image, 'jpeg')
  },
}
