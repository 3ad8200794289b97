/** The stored numbers of activation statistics. */
import { AppError } from '../../lib/errors.ts'
import type { Parts } from '../parts.ts'
import { countsOf } from '../storage/count-bytes.ts'
import type { StatisticsRow, StoredStatistics } from './statistics-store.ts'

/** null until they are done. */
export function statisticsIn({ result }: Pick<StatisticsRow, 'result'>): StoredStatistics | null {
  return result === null ? null : (JSON.parse(result) as StoredStatistics)
}

/** Of each tap how many values of each input lie in each bin: [I][B]. @throws AppError NOT_FOUND while they are not done */
export async function readCounts(
  { prisma }: Pick<Parts, 'prisma'>,
  id: string,
  { taps, scores }: StoredStatistics,
): Promise<readonly (readonly Uint32Array[])[]> {
  const row = await prisma.statistics.findUnique({ where: { id }, select: { byInput: true } })
  const bytes = row?.byInput ?? null
  if (bytes === null)
    throw new AppError({ code: 'NOT_FOUND', message: `The statistics ${id} were deleted, or are computed again.` })
  const counts = countsOf(bytes)
  let start = 0
  return taps.map(({ histogram }) => {
    const bins = histogram.counts.length
    return scores.map(() => counts.subarray(start, (start += bins)))
  })
}
