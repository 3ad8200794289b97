/** How the rows of activation statistics follow the jobs behind them: each step is one transaction. */
import type { ActivationStatistics, NamedTap } from '../../lib/activation-statistics.ts'
import { target } from '../../lib/target/target.ts'
import type { PrismaClient, Statistics } from '../../prisma/generated/client.ts'
import { MAX_ATTEMPTS, type JobStore } from '../jobs/job-store.ts'
import {
  statisticsInputs,
  statisticsKind,
  type StatisticsOutcome,
  type StatisticsPayload,
} from '../jobs/kinds/statistics.ts'
import { countBytes } from '../storage/count-bytes.ts'
import type { StoreParts } from './store-parts.ts'

/** What is stored as JSON in Statistics.result. */
export interface StoredStatistics extends Pick<ActivationStatistics, 'scores'> {
  readonly taps: readonly StoredTap[]
}
export type StoredTap = Omit<NamedTap, 'byInput'>

/** A row without its counts, which are megabytes: they are read where they are asked for. */
export type StatisticsRow = Omit<Statistics, 'byInput'>
export const WITHOUT_COUNTS = { byInput: true } as const

const NOT_ENDED = ['QUEUED', 'RUNNING']

async function recoverStatistics(prisma: PrismaClient, now: () => Date) {
  return prisma.$transaction(async (tx) => {
    const { count: failed } = await tx.statistics.updateMany({
      where: { status: 'RUNNING', attempts: { gte: MAX_ATTEMPTS } },
      data: {
        status: 'FAILED',
        errorCode: 'WORKER_LOST',
        errorMessage: `Limelight ended ${MAX_ATTEMPTS} times while it computed these statistics, so they are not tried again by themselves. Ask for them again to try once more.`,
        finishedAt: now(),
      },
    })
    await tx.statistics.updateMany({ where: { status: 'RUNNING' }, data: { status: 'QUEUED', startedAt: null } })
    const queued = await tx.statistics.findMany({
      where: { status: 'QUEUED' },
      orderBy: [{ queuedAt: 'asc' }, { id: 'asc' }],
      select: { id: true },
    })
    return { queued: queued.map(({ id }) => ({ id, kind: statisticsKind.id, weight: 'heavy' as const })), failed }
  })
}

function payloadOf({ modelVersionId, inputs, taps, target: stored, nearZero, bins }: StatisticsRow): StatisticsPayload {
  return {
    model: modelVersionId,
    inputs: statisticsInputs.parse(JSON.parse(inputs)),
    taps: JSON.parse(taps) as string[],
    target: target.parse(JSON.parse(stored)),
    nearZero,
    bins,
  }
}

export function createStatisticsStore({
  prisma,
  now,
  version,
}: Pick<StoreParts, 'prisma' | 'now' | 'version'>): JobStore<StatisticsPayload, StatisticsOutcome> {
  return {
    kind: statisticsKind,
    recover: () => recoverStatistics(prisma, now),

    async begin(id) {
      const row = await prisma.$transaction(async (tx) => {
        const { count } = await tx.statistics.updateMany({
          where: { id, status: 'QUEUED' },
          data: { status: 'RUNNING', attempts: { increment: 1 }, startedAt: now() },
        })
        return count === 0 ? null : tx.statistics.findUnique({ where: { id }, omit: WITHOUT_COUNTS })
      })
      return row === null ? null : { payload: payloadOf(row), attempt: row.attempts }
    },

    async complete(id, { statistics: { taps, scores }, libraries }) {
      const stored: StoredStatistics = { taps: taps.map((tap) => ({ ...tap, byInput: undefined })), scores }
      await prisma.statistics.updateMany({
        // Where it was deleted or cancelled meanwhile there is none.
        where: { id, status: 'RUNNING' },
        data: {
          status: 'DONE',
          finishedAt: now(),
          result: JSON.stringify(stored),
          byInput: countBytes(taps.map(({ byInput }) => byInput)),
          provenance: JSON.stringify({ libraries, limelight: version }),
        },
      })
    },

    async fail(id, error) {
      await prisma.statistics.updateMany({
        where: { id, status: { in: NOT_ENDED } },
        data: { status: 'FAILED', errorCode: error.code, errorMessage: error.userMessage, finishedAt: now() },
      })
    },

    async requeue(id, forget) {
      await prisma.statistics.updateMany({
        where: { id, status: 'RUNNING' },
        data: { status: 'QUEUED', startedAt: null, ...(forget ? { attempts: { decrement: 1 } } : {}) },
      })
    },
  }
}
