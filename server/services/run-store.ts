/** How the rows of runs follow the explain jobs behind them: each step of a run's life is one transaction. */
import type { Explanation } from '../../lib/explain.ts'
import type { JobStore } from '../jobs/job-store.ts'
import { explainKind, type ExplainOutcome, type ExplainPayload } from '../jobs/kinds/explain.ts'
import { floatBytes } from '../storage/float-bytes.ts'
import type { StoredDetail } from '../storage/stored-detail.ts'
import { evaluationsWaitingFor } from './evaluation-store.ts'
import { recoverRuns } from './recover-runs.ts'
import { payloadOf } from './run-payload.ts'
import type { StoreParts } from './store-parts.ts'

type Found = Pick<Explanation, 'attribution'>

function detailOf({ attribution }: Found, link: Explanation['link']): StoredDetail {
  const linked = link === 'softmax' ? {} : { link }
  if (attribution.kind === 'image') {
    const { width, height, signed, layer, placement, completeness } = attribution
    const added = completeness === null ? {} : { completeness }
    return { kind: 'image', width, height, signed, layer, placement, ...added, ...linked }
  }
  const { tokens, words, completeness } = attribution
  return {
    kind: 'text',
    tokens: tokens.map(({ text, start, end, special }) => ({ text, start, end, special })),
    words,
    completeness,
    ...linked,
  }
}

function valuesOf({ attribution }: Found): Float32Array {
  if (attribution.kind === 'image') return attribution.map.data
  return Float32Array.from(attribution.tokens, (token) => token.score)
}

export function createRunStore({
  prisma,
  methods,
  now,
  version,
}: StoreParts): JobStore<ExplainPayload, ExplainOutcome> {
  return {
    kind: explainKind,
    recover: () => recoverRuns(prisma, methods, now),

    async begin(runId) {
      const run = await prisma.$transaction(async (tx) => {
        const { count } = await tx.run.updateMany({
          where: { id: runId, status: 'QUEUED' },
          data: { status: 'RUNNING', attempts: { increment: 1 }, startedAt: now() },
        })
        return count === 0 ? null : tx.run.findUnique({ where: { id: runId } })
      })
      return run === null ? null : { payload: payloadOf(run), attempt: run.attempts }
    },

    async complete(runId, { explanation, loadMs, engine, libraries }) {
      const finishedAt = now()
      const byIndex = [...explanation.predictions].sort((a, b) => a.index - b.index)
      await prisma.$transaction(async (tx) => {
        const run = await tx.run.findFirst({ where: { id: runId, status: 'RUNNING' }, include: { model: true } })
        if (run === null) return // deleted or cancelled meanwhile
        const provenance = {
          model: { id: run.modelId, sha256: run.model.sha256 },
          method: { id: run.methodId, version: run.methodVersion },
          engine,
          libraries,
          limelight: version,
        }
        await tx.run.update({
          where: { id: runId },
          data: { status: 'DONE', finishedAt, provenance: JSON.stringify(provenance) },
        })
        await tx.result.create({
          data: {
            runId,
            logits: floatBytes(Float32Array.from(byIndex, (prediction) => prediction.logit)),
            labels: JSON.stringify(byIndex.map((prediction) => prediction.label)),
            targetIndex: explanation.target?.index ?? -1,
            attribution: floatBytes(valuesOf(explanation)),
            detail: JSON.stringify(detailOf(explanation, explanation.link)),
            diagnoses: JSON.stringify(explanation.diagnoses),
            queuedMs: (run.startedAt ?? finishedAt).getTime() - run.queuedAt.getTime(),
            loadMs,
            preprocessMs: explanation.timings.preprocessMs,
            computeMs: explanation.timings.computeMs,
            totalMs: finishedAt.getTime() - run.queuedAt.getTime(),
          },
        })
        if (explanation.further.length > 0)
          await tx.runMap.createMany({
            data: explanation.further.map((map, at) => ({
              runId,
              position: at + 1,
              attribution: floatBytes(valuesOf(map)),
              detail: JSON.stringify(detailOf(map, explanation.link)),
              diagnoses: JSON.stringify(map.diagnoses),
            })),
          })
      })
    },

    async fail(runId, error) {
      await prisma.run.updateMany({
        where: { id: runId, status: { in: ['QUEUED', 'RUNNING'] } },
        data: { status: 'FAILED', errorCode: error.code, errorMessage: error.userMessage, finishedAt: now() },
      })
    },

    async requeue(runId, forget) {
      await prisma.run.updateMany({
        where: { id: runId, status: 'RUNNING' },
        data: { status: 'QUEUED', startedAt: null, ...(forget ? { attempts: { decrement: 1 } } : {}) },
      })
    },

    waitingFor: (runId) => evaluationsWaitingFor(prisma, runId),
  }
}
