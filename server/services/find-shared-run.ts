import type { Run } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'
import { hashToken } from './share-run.ts'

/** The run behind a link; null when the token is unknown, revoked or expired, which cannot be told apart from outside. */
export async function findSharedRun(parts: Pick<Parts, 'prisma' | 'now'>, token: string): Promise<Run | null> {
  const link = await parts.prisma.shareLink.findUnique({
    where: { tokenHash: hashToken(token) },
    include: { run: true },
  })
  if (link === null || link.revokedAt !== null) return null
  if (link.expiresAt !== null && link.expiresAt.getTime() <= parts.now().getTime()) return null
  return link.run
}
