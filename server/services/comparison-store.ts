/** How the runs of a comparison follow the one job behind them: each is begun, completed and failed as a run is. */
import { AppError } from '../../lib/errors.ts'
import type { JobStore } from '../jobs/job-store.ts'
import { compareKind, type Compared, type ComparePayload } from '../jobs/kinds/compare.ts'
import type { ExplainOutcome, ExplainPayload } from '../jobs/kinds/explain.ts'
import { rowsOf } from '../jobs/queued-job.ts'

/** @param runs where each run's own steps are */
export function createComparisonStore(
  runs: JobStore<ExplainPayload, ExplainOutcome>,
): JobStore<ComparePayload, readonly Compared[]> {
  return {
    kind: compareKind,
    // After a crash each run is computed by itself, to the same byte: what they read together is read the same alone.
    recover: () => Promise.resolve({ queued: [], failed: 0 }),

    async begin(id) {
      const payload: ComparePayload = []
      let attempt = 0
      for (const run of rowsOf(id)) {
        const begun = await runs.begin(run)
        if (begun === null) continue
        payload.push({ run, question: begun.payload })
        attempt = Math.max(attempt, begun.attempt)
      }
      return payload.length === 0 ? null : { payload, attempt }
    },

    async complete(id, outcomes) {
      const open = rowsOf(id)
      for (const outcome of outcomes) {
        if (!open.includes(outcome.run)) continue // cancelled, perhaps asked for again meanwhile
        if ('found' in outcome) await runs.complete(outcome.run, outcome.found)
        else await runs.fail(outcome.run, AppError.fromJSON(outcome.failed))
      }
    },

    async fail(id, error) {
      for (const run of rowsOf(id)) await runs.fail(run, error)
    },

    async requeue(id, forget) {
      for (const run of rowsOf(id)) await runs.requeue(run, forget)
    },

    async waitingFor(id) {
      return (await Promise.all(rowsOf(id).map(async (run) => (await runs.waitingFor?.(run)) ?? []))).flat()
    },
  }
}
