/** Pictures come in: checked first, then stored once, however often the same bytes arrive. */
import { createHash } from 'node:crypto'
import { AppError } from '../../lib/errors.ts'
import type { Asset } from '../../prisma/generated/client.ts'
import type { DecodedImage } from '../../lib/image/decode.ts'
import type { Parts } from '../parts.ts'

/** A picture that has passed every check, stored or not. */
export interface CheckedImage {
  readonly id: string
  /** Writes it down; does nothing where it is stored already. */
  store(): Promise<Asset>
}

type ImageParts = Pick<Parts, 'prisma' | 'files' | 'imaging' | 'now'>

/** Largest file, as in lib/image/decode.ts, which is not imported here: it loads libvips. */
export const MAX_IMAGE_BYTES = 20_000_000

function tooLarge(bytes: number): AppError {
  return new AppError({
    code: 'IMAGE_TOO_LARGE',
    message: `The picture has ${(bytes / 1e6).toFixed(1)} MB; at most 20 MB are accepted. Make it smaller and try again.`,
    details: { bytes, limit: MAX_IMAGE_BYTES },
  })
}

/**
 * The bytes of a base64 string; a `data:` URL will do too.
 * @throws AppError BAD_IMAGE, IMAGE_TOO_LARGE
 */
export function bytesOfBase64(text: string): Uint8Array {
  const data = text.startsWith('data:') ? text.slice(text.indexOf(',') + 1) : text
  const compact = data.trim()
  if (compact.length > (MAX_IMAGE_BYTES * 4) / 3 + 1e6) throw tooLarge((compact.length * 3) / 4)
  if (!/^[A-Za-z0-9+/_\-\s]*={0,2}\s*$/.test(compact))
    throw new AppError({
      code: 'BAD_IMAGE',
      message: 'image.base64 is not base64. Send the bytes of a picture, base64-encoded, or upload it to /api/images.',
    })
  return Buffer.from(compact, 'base64')
}

/** @throws AppError BAD_IMAGE, IMAGE_TOO_LARGE */
export async function checkImage(parts: ImageParts, bytes: Uint8Array): Promise<CheckedImage> {
  if (bytes.length > MAX_IMAGE_BYTES) throw tooLarge(bytes.length)
  const id = createHash('sha256').update(bytes).digest('hex')
  const known = await parts.prisma.asset.findUnique({ where: { id } })
  if (known !== null) return { id, store: () => Promise.resolve(known) }
  const image = await parts.imaging.decode(bytes)
  return { id, store: () => store(parts, bytes, image) }
}

/** @throws AppError NOT_FOUND */
export async function findImage(parts: Pick<Parts, 'prisma'>, id: string): Promise<CheckedImage> {
  const asset = await parts.prisma.asset.findUnique({ where: { id } })
  if (asset !== null) return { id, store: () => Promise.resolve(asset) }
  throw new AppError({
    code: 'NOT_FOUND',
    message: `There is no picture ${id}. Upload it to /api/images and use the assetId it answers.`,
    details: { assetId: id },
  })
}

async function store(parts: ImageParts, bytes: Uint8Array, image: DecodedImage): Promise<Asset> {
  const display = await parts.imaging.encodeForDisplay(image)
  const { sha256: id, format, originalWidth, originalHeight, width, height } = image
  return parts.files.exclusively(id, async () => {
    await parts.files.write(id, bytes, display)
    const row = { format, originalWidth, originalHeight, width, height, notes: JSON.stringify(image.diagnoses) }
    return parts.prisma.asset.upsert({
      where: { id },
      create: { id, bytes: bytes.length, createdAt: parts.now(), ...row },
      update: {},
    })
  })
}
