import type { Run } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'
import { evaluationsWaitingFor } from './evaluation-store.ts'
import { getRun } from './get-run.ts'

/** Stops a run that has not ended; one that has stays as it is. What waited to judge it learns that there is nothing to. @throws AppError NOT_FOUND */
export async function cancelRun(parts: Pick<Parts, 'prisma' | 'queue' | 'now'>, id: string): Promise<Run> {
  await getRun(parts, id)
  const { count } = await parts.prisma.run.updateMany({
    where: { id, status: { in: ['QUEUED', 'RUNNING'] } },
    data: { status: 'CANCELLED', finishedAt: parts.now() },
  })
  if (count > 0) {
    parts.queue.stop(id)
    for (const job of await evaluationsWaitingFor(parts.prisma, id)) parts.queue.enqueue(job)
  }
  return getRun(parts, id)
}
