import type { Run } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'
import { getRun } from './get-run.ts'

/** Stops a run that has not ended; one that has stays as it is. @throws AppError NOT_FOUND */
export async function cancelRun(parts: Pick<Parts, 'prisma' | 'queue' | 'now'>, id: string): Promise<Run> {
  await getRun(parts, id)
  const { count } = await parts.prisma.run.updateMany({
    where: { id, status: { in: ['QUEUED', 'RUNNING'] } },
    data: { status: 'CANCELLED', finishedAt: parts.now() },
  })
  if (count > 0) parts.queue.stop(id)
  return getRun(parts, id)
}
