/** Statistics as they stand: found, waited for, stopped, deleted. */
import { AppError } from '../../lib/errors.ts'
import type { Parts } from '../parts.ts'
import { hasEnded } from './get-run.ts'
import { WITHOUT_COUNTS, type StatisticsRow } from './statistics-store.ts'
import { untilEnded, watchStates } from './watch-states.ts'

type WatchParts = Pick<Parts, 'prisma' | 'news'>

async function find({ prisma }: Pick<Parts, 'prisma'>, id: string): Promise<StatisticsRow | null> {
  return prisma.statistics.findUnique({ where: { id }, omit: WITHOUT_COUNTS })
}

/** @throws AppError NOT_FOUND */
export async function getStatistics(parts: Pick<Parts, 'prisma'>, id: string): Promise<StatisticsRow> {
  const found = await find(parts, id)
  if (found !== null) return found
  throw new AppError({
    code: 'NOT_FOUND',
    message: `There are no statistics ${id}. They may have been deleted.`,
    details: { statisticsId: id },
  })
}

/** The statistics now, and again whenever their status or progress changes, until they have ended. @throws AppError NOT_FOUND */
export function watchStatistics(parts: WatchParts, id: string): AsyncIterableIterator<StatisticsRow> {
  return watchStates(parts.news, id, {
    first: () => getStatistics(parts, id),
    next: () => find(parts, id),
    hasEnded,
  })
}

/** When they have ended, or as they are after `waitMs`, whichever is first. */
export async function waitForStatistics(parts: WatchParts, one: StatisticsRow, waitMs: number): Promise<StatisticsRow> {
  return hasEnded(one) || waitMs <= 0 ? one : untilEnded(one, watchStatistics(parts, one.id), waitMs)
}

/** Stops statistics that have not ended; those that have stay as they are. @throws AppError NOT_FOUND */
export async function cancelStatistics(
  parts: Pick<Parts, 'prisma' | 'queue' | 'now'>,
  id: string,
): Promise<StatisticsRow> {
  await getStatistics(parts, id)
  const { count } = await parts.prisma.statistics.updateMany({
    where: { id, status: { in: ['QUEUED', 'RUNNING'] } },
    data: { status: 'CANCELLED', finishedAt: parts.now() },
  })
  if (count > 0) parts.queue.stop(id)
  return getStatistics(parts, id)
}

/** @returns false when there were none */
export async function deleteStatistics(parts: Pick<Parts, 'prisma' | 'queue'>, id: string): Promise<boolean> {
  const { count } = await parts.prisma.statistics.deleteMany({ where: { id } })
  parts.queue.stop(id)
  return count > 0
}
