/**
 * The queue of jobs. Its truth is in the jobs' own rows, kept by a {@link JobStore} for each kind; in memory is only the
 * order and who computes what. A PostgreSQL-backed queue with workers elsewhere can stand behind the same interface.
 */
import { AppError } from '../../lib/errors.ts'
import type { Logger } from '../logger.ts'
import type { JobNews } from './job-news.ts'
import { MAX_ATTEMPTS, type Begun, type JobStore } from './job-store.ts'
import { WaitingLine } from './waiting-line.ts'
import type { WorkerPool } from './worker-pool.ts'

/**
 * How long a job may keep a worker. Light ones go first, and heavy ones never take the last worker: a Grad-CAM does not
 * wait minutes behind a long review.
 */
export type Weight = 'light' | 'heavy'

/** Forward passes up to which a job is light. */
const LIGHT_COST = 20

export function weightOf(cost: number): Weight {
  return cost <= LIGHT_COST ? 'light' : 'heavy'
}

export interface QueuedJob {
  /** Of its row, unique among all kinds. */
  readonly id: string
  /** {@link JobStore.kind}'s id. */
  readonly kind: string
  readonly weight: Weight
}

export interface JobQueue {
  /** Takes a job whose row says QUEUED. */
  enqueue(job: QueuedJob): void
  /** Stops the work on a job whose row says CANCELLED already, or is gone. */
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
}

export function createQueue({ stores, pool, news, log }: QueueOptions): JobQueue {
  const storeOf = new Map(stores.map((store) => [store.kind.id, store]))
  const waiting = { light: new WaitingLine<JobStore>(), heavy: new WaitingLine<JobStore>() }
  /** At most as many as there are workers. */
  const active = new Map<string, Active>()
  const working = new Set<Promise<void>>()
  let closed = false

  /** A job that is asked for again while its last attempt is being stopped waits for that to end. */
  const ready = (id: string): boolean => !active.has(id)

  /** The job to begin next: the oldest light one, else the oldest heavy one if that leaves a worker free. */
  const next = () => {
    const light = waiting.light.first(ready)
    if (light !== null) return { ...light, weight: 'light' as const }
    const heavyNow = [...active.values()].filter((one) => one.weight === 'heavy').length
    const heavy = heavyNow < Math.max(1, pool.size - 1) ? waiting.heavy.first(ready) : null
    return heavy === null ? null : { ...heavy, weight: 'heavy' as const }
  }

  const pump = (): void => {
    while (!closed && active.size < pool.size) {
      const first = next()
      if (first === null) return
      const { id, value: store, weight } = first
      waiting[weight].leave(id)
      const work: Promise<void> = run(store, id, weight).finally(() => {
        working.delete(work)
        active.delete(id)
        pump()
      })
      working.add(work)
    }
  }

  const run = async (store: JobStore, id: string, weight: Weight): Promise<void> => {
    const { kind } = store
    const cancel = new AbortController()
    active.set(id, { cancel, weight })
    let begun: Begun | null = null
    try {
      begun = await store.begin(id)
      if (begun === null) return
      news.changed(id)
      const { payload } = begun
      const progress = (fraction: number): void => news.advance(id, fraction)
      await store.complete(id, await pool.run(kind, { id, payload }, { signal: cancel.signal, progress }))
      log.info({ kind: kind.id, ...kind.about(payload) }, `${kind.noun} ${id} done`)
    } catch (thrown) {
      await after(store, id, weight, begun, thrown)
    } finally {
      news.ended(id)
    }
  }

  /** What becomes of a job whose attempt came to nothing. */
  const after = async (
    store: JobStore,
    id: string,
    weight: Weight,
    begun: Begun | null,
    thrown: unknown,
  ): Promise<void> => {
    const error = AppError.from(thrown)
    const { noun } = store.kind
    try {
      if (closed) await store.requeue(id, true)
      else if (error.code === 'CANCELLED') log.info(`${noun} ${id} cancelled`)
      else if (error.code === 'WORKER_LOST' && begun !== null && begun.attempt < MAX_ATTEMPTS) {
        log.warn(`${noun} ${id}: ${error.message}; trying once more`)
        await store.requeue(id, false)
        waiting[weight].join(id, store)
      } else {
        log.warn(
          { code: error.code, ...(error.code === 'INTERNAL' ? { err: thrown } : {}) },
          `${noun} ${id} failed: ${error.message}`,
        )
        await store.fail(id, error)
      }
    } catch (cause) {
      log.error({ err: cause }, `${noun} ${id}: its end could not be written down`)
    }
  }

  return {
    enqueue({ id, kind, weight }) {
      const store = storeOf.get(kind)
      if (store === undefined)
        throw new AppError({
          code: 'INTERNAL',
          message: `job ${id} is of the kind ${kind}, for which there is no store`,
        })
      waiting[weight === 'light' ? 'heavy' : 'light'].leave(id)
      waiting[weight].join(id, store)
      pump()
    },
    stop(id) {
      waiting.light.leave(id)
      waiting.heavy.leave(id)
      active.get(id)?.cancel.abort()
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
