import { AppError } from '../../lib/errors.ts'
import type { ShareLink } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'

/** Revoking twice keeps the first time. @throws AppError NOT_FOUND */
export async function revokeShare(parts: Pick<Parts, 'prisma' | 'now'>, id: string): Promise<ShareLink> {
  await parts.prisma.shareLink.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: parts.now() } })
  const link = await parts.prisma.shareLink.findUnique({ where: { id } })
  if (link !== null) return link
  throw new AppError({ code: 'NOT_FOUND', message: `There is no sharing link ${id}.`, details: { shareLinkId: id } })
}
