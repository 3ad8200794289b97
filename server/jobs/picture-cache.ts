/** The decoded pictures a worker keeps: one is decoded once for the many runs that ask about it. */
import { AppError } from '../../lib/errors.ts'
import type { DecodedImage } from '../../lib/image/decode.ts'
import type { AssetStore } from '../storage/stores.ts'

type Decode = (bytes: Uint8Array) => Promise<DecodedImage>

const decodeImage: Decode = async (bytes) => (await import('../../lib/image/decode.ts')).decodeImage(bytes)

interface Kept {
  readonly decoding: Promise<DecodedImage>
  /** Of its pixels; 0 until they are there. */
  bytes: number
}

export class PictureCache {
  // A Map keeps the order of insertion: the first key is the least recently used.
  readonly #pictures = new Map<string, Kept>()
  readonly #assets: AssetStore
  readonly #limit: number
  readonly #decode: Decode
  #bytes = 0

  /** @param limit bytes of pixels that are kept; a picture that is larger alone is given and forgotten */
  constructor(assets: AssetStore, limit: number, decode: Decode = decodeImage) {
    this.#assets = assets
    this.#limit = limit
    this.#decode = decode
  }

  /** The pixels of a picture, shared by all who ask: nobody writes into them. @throws AppError NOT_FOUND, BAD_IMAGE */
  async decoded(sha256: string): Promise<DecodedImage> {
    const known = this.#pictures.get(sha256)
    if (known !== undefined) {
      this.#pictures.delete(sha256)
      this.#pictures.set(sha256, known)
      return known.decoding
    }
    const kept: Kept = { decoding: this.#read(sha256), bytes: 0 }
    this.#pictures.set(sha256, kept)
    try {
      const image = await kept.decoding
      kept.bytes = image.rgb.byteLength
      this.#bytes += kept.bytes
      this.#evict()
      return image
    } catch (error) {
      this.#pictures.delete(sha256)
      throw error
    }
  }

  async #read(sha256: string): Promise<DecodedImage> {
    const image = await this.#decode(await this.#assets.read(sha256))
    if (image.sha256 === sha256) return image
    throw new AppError({
      code: 'BAD_IMAGE',
      message: `what is stored as picture ${sha256} has the sha256 ${image.sha256}`,
      userMessage: `The file of picture ${sha256} has been changed where it is kept. Delete its runs, upload the picture again, and ask again.`,
    })
  }

  #evict(): void {
    for (const [key, { bytes }] of this.#pictures) {
      if (this.#bytes <= this.#limit) return
      if (bytes === 0) continue // still being decoded
      this.#pictures.delete(key)
      this.#bytes -= bytes
    }
  }
}
