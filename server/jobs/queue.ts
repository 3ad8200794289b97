/**
 * The queue of runs. Its truth is in the runs' own rows, kept by a {@link RunStore}; in memory is only the order and who
 * computes what. A PostgreSQL-backed queue with workers elsewhere can stand behind the same interface.
 */
import { AppError } from '../../lib/errors.ts'
import type { Logger } from '../logger.ts'
import type { ExplainJob, ExplainOutcome } from './protocol.ts'
import { RunEvents, type Watch } from './run-events.ts'
import type { ExplainHooks } from './worker-process.ts'

/**
 * How long a run may keep a worker. Light runs go first, and heavy ones never take the last worker: a Grad-CAM does not
 * wait minutes behind a long review.
 */
export type Weight = 'light' | 'heavy'

/** Forward passes up to which a run is light. */
const LIGHT_COST = 20

export function weightOf(cost: number): Weight {
  return cost <= LIGHT_COST ? 'light' : 'heavy'
}

export interface RunQueue {
  /** Takes a run whose row says QUEUED. */
  enqueue(runId: string, weight: Weight): void
  /** Stops the work on a run whose row says CANCELLED already, or is gone. */
  stop(runId: string): void
  /** Share done of a run that is being computed, 0..1. */
  progress(runId: string): number
  /** Tells of every change of a run's status or progress. */
  watch(runId: string): Watch
  notify(runId: string): void
  /** Stops all work; the runs that were being computed are QUEUED again for the next start. */
  close(): Promise<void>
}

export type Begun = { readonly job: ExplainJob; readonly attempt: number }

/** How the rows follow what happens. Each call is one transaction. */
export interface RunStore {
  /** QUEUED -> RUNNING; null when the run is no longer QUEUED. */
  begin(runId: string): Promise<Begun | null>
  /** RUNNING -> DONE, with the result. */
  complete(runId: string, outcome: ExplainOutcome): Promise<void>
  /** QUEUED or RUNNING -> FAILED. */
  fail(runId: string, error: AppError): Promise<void>
  /** RUNNING -> QUEUED; with `forget`, as if this attempt had not been made. */
  requeue(runId: string, forget: boolean): Promise<void>
}

/** How often a run is begun before a lost worker is put down to the run itself. */
export const MAX_ATTEMPTS = 2

export interface QueueOptions {
  readonly store: RunStore
  readonly pool: { readonly size: number; explain(job: ExplainJob, hooks: ExplainHooks): Promise<ExplainOutcome> }
  readonly log: Logger
}

interface Active {
  readonly cancel: AbortController
  readonly weight: Weight
  progress: number
}

export function createQueue({ store, pool, log }: QueueOptions): RunQueue {
  const events = new RunEvents()
  /** In the order of arrival. */
  const waiting = new Map<string, Weight>()
  const active = new Map<string, Active>()
  const working = new Set<Promise<void>>()
  let closed = false

  /** The run to begin next: the oldest light one, else the oldest heavy one if that leaves a worker free. */
  const next = (): string | undefined => {
    const ready = [...waiting].filter(([runId]) => !active.has(runId))
    const light = ready.find(([, weight]) => weight === 'light')
    if (light !== undefined) return light[0]
    const heavy = [...active.values()].filter((one) => one.weight === 'heavy').length
    return heavy < Math.max(1, pool.size - 1) ? ready[0]?.[0] : undefined
  }

  const pump = (): void => {
    while (!closed && active.size < pool.size) {
      const runId = next()
      if (runId === undefined) return
      const weight = waiting.get(runId) ?? 'heavy'
      waiting.delete(runId)
      const work: Promise<void> = run(runId, weight).finally(() => {
        working.delete(work)
        active.delete(runId)
        pump()
      })
      working.add(work)
    }
  }

  const run = async (runId: string, weight: Weight): Promise<void> => {
    const state: Active = { cancel: new AbortController(), weight, progress: 0 }
    active.set(runId, state)
    let begun: Begun | null = null
    try {
      begun = await store.begin(runId)
      if (begun === null) return
      events.emit(runId)
      const outcome = await pool.explain(begun.job, {
        signal: state.cancel.signal,
        progress: (fraction) => {
          state.progress = Math.max(state.progress, fraction)
          events.emit(runId)
        },
      })
      await store.complete(runId, outcome)
      log.info({ model: begun.job.model.id, method: begun.job.methodId }, `run ${runId} done`)
    } catch (thrown) {
      await after(runId, weight, begun, thrown)
    } finally {
      events.emit(runId)
    }
  }

  /** What becomes of a run whose attempt came to nothing. */
  const after = async (runId: string, weight: Weight, begun: Begun | null, thrown: unknown): Promise<void> => {
    const error = AppError.from(thrown)
    try {
      if (closed) await store.requeue(runId, true)
      else if (error.code === 'CANCELLED') log.info(`run ${runId} cancelled`)
      else if (error.code === 'WORKER_LOST' && begun !== null && begun.attempt < MAX_ATTEMPTS) {
        log.warn(`run ${runId}: ${error.message}; trying once more`)
        await store.requeue(runId, false)
        waiting.set(runId, weight)
      } else {
        log.warn(
          { code: error.code, ...(error.code === 'INTERNAL' ? { err: thrown } : {}) },
          `run ${runId} failed: ${error.message}`,
        )
        await store.fail(runId, error)
      }
    } catch (cause) {
      log.error({ err: cause }, `run ${runId}: its end could not be written down`)
    }
  }

  return {
    enqueue(runId, weight) {
      waiting.set(runId, weight)
      pump()
    },
    stop(runId) {
      waiting.delete(runId)
      active.get(runId)?.cancel.abort()
      events.emit(runId)
    },
    progress: (runId) => active.get(runId)?.progress ?? 0,
    watch: (runId) => events.watch(runId),
    notify: (runId) => events.emit(runId),
    async close() {
      closed = true
      waiting.clear()
      for (const { cancel } of active.values()) cancel.abort()
      await Promise.all(working)
    },
  }
}
