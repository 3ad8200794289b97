import type { PrismaClient } from '../../prisma/generated/client.ts'
import { MAX_ATTEMPTS } from '../jobs/queue.ts'

export interface Recovered {
  /** Ids to queue again, oldest first. */
  readonly queued: readonly string[]
  /** How many were given up. */
  readonly failed: number
}

/**
 * Sorts out the runs that the last server left behind: those it had begun too often are FAILED with a reason, all others
 * are QUEUED again.
 */
export async function recoverRuns(prisma: PrismaClient, now: () => Date): Promise<Recovered> {
  return prisma.$transaction(async (tx) => {
    const { count: failed } = await tx.run.updateMany({
      where: { status: 'RUNNING', attempts: { gte: MAX_ATTEMPTS } },
      data: {
        status: 'FAILED',
        errorCode: 'WORKER_LOST',
        errorMessage: `Limelight ended ${MAX_ATTEMPTS} times while it computed this run, so it is not tried again by itself. Ask for it again to try once more.`,
        finishedAt: now(),
      },
    })
    await tx.run.updateMany({ where: { status: 'RUNNING' }, data: { status: 'QUEUED', startedAt: null } })
    const queued = await tx.run.findMany({
      where: { status: 'QUEUED' },
      orderBy: [{ queuedAt: 'asc' }, { id: 'asc' }],
      select: { id: true },
    })
    return { queued: queued.map((run) => run.id), failed }
  })
}
