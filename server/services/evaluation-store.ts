/** How the rows of evaluations follow the evaluate jobs behind them: each step is one transaction. */
import { AppError } from '../../lib/errors.ts'
import type { Evaluation as Judgement } from '../../lib/evaluate.ts'
import { askedAt } from '../../lib/methods/maps-asked.ts'
import { marks } from '../../lib/metrics/marks.ts'
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'
import type { Evaluation as Row, PrismaClient, Result, Run } from '../../prisma/generated/client.ts'
import { MAX_ATTEMPTS, type JobStore } from '../jobs/job-store.ts'
import { evaluateKind, type EvaluateOutcome, type EvaluatePayload } from '../jobs/kinds/evaluate.ts'
import { floatsOf } from '../storage/float-bytes.ts'
import type { QueuedJob } from '../jobs/queued-job.ts'
import type { StoredDetail } from '../storage/stored-detail.ts'
import type { StoreParts } from './store-parts.ts'
import { payloadOf } from './run-payload.ts'

/** What is stored as JSON in Evaluation.result. */
export type StoredJudgement = Judgement

/** The stored numbers in the shape that the method gave them. */
function attributionIn({ attribution, detail }: Result): FloatTensor {
  const values = floatsOf(attribution)
  const stored = JSON.parse(detail) as StoredDetail
  return float32(values, stored.kind === 'image' ? [stored.height, stored.width] : [values.length])
}

/** What was asked of the map that is judged: of a run with several, the first. */
function questionOf(run: Run): EvaluatePayload['run'] {
  const { maps, ...question } = payloadOf(run)
  if (maps === undefined) return question
  const { layer, target } = askedAt(maps, 0)
  const params = layer === null ? question.params : { ...(question.params as object), layer }
  return { ...question, params, target: target ?? question.target }
}

const NOT_ENDED = ['QUEUED', 'RUNNING']

async function recoverEvaluations(prisma: PrismaClient, now: () => Date) {
  return prisma.$transaction(async (tx) => {
    const { count: failed } = await tx.evaluation.updateMany({
      where: { status: 'RUNNING', attempts: { gte: MAX_ATTEMPTS } },
      data: {
        status: 'FAILED',
        errorCode: 'WORKER_LOST',
        errorMessage: `Limelight ended ${MAX_ATTEMPTS} times while it computed this evaluation, so it is not tried again by itself. Ask for it again to try once more.`,
        finishedAt: now(),
      },
    })
    await tx.evaluation.updateMany({ where: { status: 'RUNNING' }, data: { status: 'QUEUED', startedAt: null } })
    const queued = await tx.evaluation.findMany({
      where: { status: 'QUEUED' },
      orderBy: [{ queuedAt: 'asc' }, { id: 'asc' }],
      select: { id: true },
    })
    return { queued: queued.map(queuedEvaluation), failed }
  })
}

/** What it costs is not known without its model: it does not take the last worker. */
const queuedEvaluation = ({ id }: Pick<Row, 'id'>): QueuedJob => ({ id, kind: evaluateKind.id, weight: 'heavy' })

/** Evaluations that were asked for before there was a result to judge. */
export async function evaluationsWaitingFor(
  prisma: Pick<PrismaClient, 'evaluation'>,
  runId: string,
): Promise<readonly QueuedJob[]> {
  const waiting = await prisma.evaluation.findMany({
    where: { runId, status: 'QUEUED' },
    orderBy: [{ queuedAt: 'asc' }, { id: 'asc' }],
    select: { id: true },
  })
  return waiting.map(queuedEvaluation)
}

/** @throws AppError CONFLICT where the run came to nothing */
function resultOf({ run }: { run: Run & { result: Result | null } }): Result {
  if (run.result !== null) return run.result
  throw new AppError({
    code: 'CONFLICT',
    message: `run ${run.id} is ${run.status}`,
    userMessage: `The run that was to be judged has no result: it is ${run.status}. Ask for it again, then for this evaluation.`,
    details: { runId: run.id },
  })
}

export function createEvaluationStore({
  prisma,
  now,
  version,
}: Pick<StoreParts, 'prisma' | 'now' | 'version'>): JobStore<EvaluatePayload, EvaluateOutcome> {
  return {
    kind: evaluateKind,
    recover: () => recoverEvaluations(prisma, now),

    async begin(id) {
      const row = await prisma.$transaction(async (tx) => {
        const { count } = await tx.evaluation.updateMany({
          // One whose run has not ended yet waits for it: the queue hears of it again then.
          where: { id, status: 'QUEUED', run: { status: { notIn: NOT_ENDED } } },
          data: { status: 'RUNNING', attempts: { increment: 1 }, startedAt: now() },
        })
        return count === 0
          ? null
          : tx.evaluation.findUnique({ where: { id }, include: { run: { include: { result: true } } } })
      })
      if (row === null) return null
      const { run, metricId, metricVersion, params, seed, randomControls } = row
      const payload = {
        run: questionOf(run),
        attribution: attributionIn(resultOf(row)),
        metric: { id: metricId, version: metricVersion },
        params: JSON.parse(params) as unknown,
        seed,
        randomControls,
        marks: row.marks === null ? null : marks.parse(JSON.parse(row.marks)),
      }
      return { payload, attempt: row.attempts }
    },

    async complete(id, { evaluation, libraries }) {
      await prisma.$transaction(async (tx) => {
        const row = await tx.evaluation.findFirst({ where: { id, status: 'RUNNING' } })
        if (row === null) return // deleted or cancelled meanwhile
        const provenance = {
          metric: { id: row.metricId, version: row.metricVersion },
          libraries,
          limelight: version,
        }
        await tx.evaluation.update({
          where: { id },
          data: {
            status: 'DONE',
            finishedAt: now(),
            result: JSON.stringify(evaluation satisfies StoredJudgement),
            provenance: JSON.stringify(provenance),
          },
        })
      })
    },

    async fail(id, error) {
      await prisma.evaluation.updateMany({
        where: { id, status: { in: NOT_ENDED } },
        data: { status: 'FAILED', errorCode: error.code, errorMessage: error.userMessage, finishedAt: now() },
      })
    },

    async requeue(id, forget) {
      await prisma.evaluation.updateMany({
        where: { id, status: 'RUNNING' },
        data: { status: 'QUEUED', startedAt: null, ...(forget ? { attempts: { decrement: 1 } } : {}) },
      })
    },
  }
}
