import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { AppError } from '../../lib/errors.ts'
import type { ShareLink } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'
import { getRun } from './get-run.ts'

/** 192 bits: cannot be guessed. */
const TOKEN_BYTES = 24

/** What is stored of a token: it cannot be turned back. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

export interface NewShareLink {
  readonly link: ShareLink
  /** The secret; it is known now and never again. */
  readonly token: string
}

/** @throws AppError NOT_FOUND, CONFLICT when the run is not done, BAD_INPUT when it would have expired already */
export async function shareRun(
  parts: Pick<Parts, 'prisma' | 'now'>,
  runId: string,
  expiresAt: Date | null,
): Promise<NewShareLink> {
  const run = await getRun(parts, runId)
  if (run.status !== 'DONE')
    throw new AppError({
      code: 'CONFLICT',
      message: `Only a finished run can be shared, and this one is ${run.status.toLowerCase()}.`,
      details: { runId, status: run.status },
    })
  const createdAt = parts.now()
  if (expiresAt !== null && expiresAt.getTime() <= createdAt.getTime())
    throw new AppError({
      code: 'BAD_INPUT',
      message: `expiresAt is ${expiresAt.toISOString()}, which is past. Choose a later time, or none for a link that does not expire.`,
    })
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  const link = await parts.prisma.shareLink.create({
    data: { id: randomUUID(), runId, tokenHash: hashToken(token), expiresAt, createdAt },
  })
  return { link, token }
}
