/**
 * The queue of jobs. Its truth is in the jobs' own rows, kept by a {@link JobStore} for each kind; in memory is only the
 * order and who computes what. A PostgreSQL-backed queue with workers elsewhere can stand behind the same interface.
 */
import { AppError } from '../../lib/errors.ts'
import type { Logger } from '../logger.ts'
import type { JobNews } from './job-news.ts'
import { MAX_ATTEMPTS, type Begun, type JobStore } from './job-store.ts'
import { jointId, rowsOf, type QueuedJob, type Weight } from './queued-job.ts'
import { WaitingLine } from './waiting-line.ts'
import type { WorkerPool } from './worker-pool.ts'

export interface JobQueue {
  /** Takes a job whose row says QUEUED. */
  enqueue(job: QueuedJob): void
  /** Stops the work on a row that says CANCELLED already, or is gone. */
  stop(id: string): void
  /** Stops all work; the jobs that were being computed are QUEUED again for the next start. */
  close(): Promise<void>
}

export interface QueueOptions {
  readonly stores: readonly JobStore[]
  readonly pool: Pick<WorkerPool, 'size' | 'run'>
  readonly news: JobNews
  readonly log: Logger
}

interface Active {
  readonly cancel: AbortController
  readonly weight: Weight
  /** Those of its rows that are not cancelled. */
  readonly open: Set<string>
}

export function createQueue({ stores, pool, news, log }: QueueOptions): JobQueue {
  const storeOf = new Map(stores.map((store) => [store.kind.id, store]))
  const waiting = { light: new WaitingLine<JobStore>(), heavy: new WaitingLine<JobStore>() }
  /** By row. */
  const active = new Map<string, Active>()
  /** At most as many as there are workers. */
  const working = new Set<Promise<void>>()
  let closed = false

  /** A job that is asked for again while its last attempt is being stopped waits for that to end. */
  const ready = (id: string): boolean => rowsOf(id).every((row) => !active.has(row))

  /** The job to begin next: the oldest light one, else the oldest heavy one if that leaves a worker free. */
  const next = () => {
    const light = waiting.light.first(ready)
    if (light !== null) return { ...light, weight: 'light' as const }
    const heavyNow = [...new Set(active.values())].filter((one) => one.weight === 'heavy').length
    const heavy = heavyNow < Math.max(1, pool.size - 1) ? waiting.heavy.first(ready) : null
    return heavy === null ? null : { ...heavy, weight: 'heavy' as const }
  }

  const pump = (): void => {
    while (!closed && working.size < pool.size) {
      const first = next()
      if (first === null) return
      const { id, value: store, weight } = first
      waiting[weight].leave(id)
      const work: Promise<void> = run(store, id, weight).finally(() => {
        working.delete(work)
        for (const row of rowsOf(id)) active.delete(row)
        pump()
      })
      working.add(work)
    }
  }

  const run = async (store: JobStore, id: string, weight: Weight): Promise<void> => {
    const { kind } = store
    const cancel = new AbortController()
    const rows = rowsOf(id)
    const open = new Set(rows)
    for (const row of rows) active.set(row, { cancel, weight, open })
    let begun: Begun | null = null
    try {
      begun = await store.begin(id)
      if (begun === null) return
      for (const row of rows) news.changed(row)
      const { payload } = begun
      const progress = (fraction: number): void => rows.forEach((row) => news.advance(row, fraction))
      const outcome = await pool.run(kind, { id, payload }, { signal: cancel.signal, progress })
      await store.complete(jointId(open), outcome)
      log.info({ kind: kind.id, ...kind.about(payload) }, `${kind.noun} ${id} done`)
      await freed(store, id)
    } catch (thrown) {
      await after(store, id, open, weight, begun, thrown)
    } finally {
      for (const row of rows) news.ended(row)
    }
  }

  /** What waited for a job can begin. */
  const freed = async (store: JobStore, id: string): Promise<void> => {
    for (const job of (await store.waitingFor?.(id)) ?? []) enqueue(job)
  }

  /** What becomes of a job whose attempt came to nothing. */
  const after = async (
    store: JobStore,
    id: string,
    open: ReadonlySet<string>,
    weight: Weight,
    begun: Begun | null,
    thrown: unknown,
  ): Promise<void> => {
    const error = AppError.from(thrown)
    const { noun } = store.kind
    const left = jointId(open)
    try {
      if (closed) await store.requeue(left, true)
      else if (error.code === 'CANCELLED') log.info(`${noun} ${id} cancelled`)
      else if (error.code === 'WORKER_LOST' && begun !== null && begun.attempt < MAX_ATTEMPTS) {
        log.warn(`${noun} ${id}: ${error.message}; trying once more`)
        await store.requeue(left, false)
        waiting[weight].join(left, store)
      } else {
        log.warn(
          { code: error.code, ...(error.code === 'INTERNAL' ? { err: thrown } : {}) },
          `${noun} ${id} failed: ${error.message}`,
        )
        await store.fail(left, error)
        await freed(store, left)
      }
    } catch (cause) {
      log.error({ err: cause }, `${noun} ${id}: its end could not be written down`)
    }
  }

  const enqueue = ({ id, kind, weight }: QueuedJob): void => {
    const store = storeOf.get(kind)
    if (store === undefined)
      throw new AppError({
        code: 'INTERNAL',
        message: `job ${id} is of the kind ${kind}, for which there is no store`,
      })
    waiting[weight === 'light' ? 'heavy' : 'light'].leave(id)
    waiting[weight].join(id, store)
    pump()
  }

  return {
    enqueue,
    stop(id) {
      waiting.light.leave(id)
      waiting.heavy.leave(id)
      const work = active.get(id)
      work?.open.delete(id)
      if (work?.open.size === 0) work.cancel.abort()
      news.changed(id)
    },
    async close() {
      closed = true
      waiting.light.clear()
      waiting.heavy.clear()
      for (const { cancel } of active.values()) cancel.abort()
      await Promise.all(working)
    },
  }
}
