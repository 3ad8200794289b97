import { AppError } from '../../lib/errors.ts'
import type { Run } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'

export async function findRun(parts: Pick<Parts, 'prisma'>, id: string): Promise<Run | null> {
  return parts.prisma.run.findUnique({ where: { id } })
}

/** @throws AppError NOT_FOUND */
export async function getRun(parts: Pick<Parts, 'prisma'>, id: string): Promise<Run> {
  const run = await findRun(parts, id)
  if (run !== null) return run
  throw new AppError({
    code: 'NOT_FOUND',
    message: `There is no run ${id}. It may have been deleted.`,
    details: { runId: id },
  })
}

const ENDED: readonly string[] = ['DONE', 'FAILED', 'CANCELLED']

export function hasEnded(run: Pick<Run, 'status'>): boolean {
  return ENDED.includes(run.status)
}
