/** A fixed number of worker processes: the ones that die are replaced, and each computes one run at a time. */
import { AppError } from '../../lib/errors.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import type { Logger } from '../logger.ts'
import type { ExplainJob, ExplainOutcome, ModelDescription } from './protocol.ts'
import { WorkerProcess, type ExplainHooks, type WorkerOptions } from './worker-process.ts'

export interface PoolOptions extends WorkerOptions {
  readonly size: number
  readonly log: Logger
}

export interface PoolStatus {
  readonly size: number
  readonly alive: number
  readonly busy: number
  /** How many were replaced since the start. */
  readonly replaced: number
}

/** Waits before a worker that died before it was ready is started again, so that a broken one does not spin. */
const RESTART_AFTER_MS = [0, 500, 2000, 10_000] as const

export class WorkerPool {
  readonly #options: PoolOptions
  readonly #workers: (WorkerProcess | null)[]
  /** Which model each slot computed with last: it is warm there. */
  readonly #warm: (string | null)[]
  readonly #waiting: (() => void)[] = []
  readonly #timers = new Set<NodeJS.Timeout>()
  #stillborn = 0
  #replaced = 0
  #started = false
  #closed = false

  constructor(options: PoolOptions) {
    this.#options = options
    this.#workers = Array.from({ length: options.size }, () => null)
    this.#warm = Array.from({ length: options.size }, () => null)
  }

  /** Starts the processes; until then questions wait. */
  start(): void {
    if (this.#started) return
    this.#started = true
    this.#workers.forEach((_, slot) => this.#fork(slot))
  }

  get size(): number {
    return this.#options.size
  }

  status(): PoolStatus {
    const alive = this.#living()
    return {
      size: this.size,
      alive: alive.length,
      busy: alive.filter((worker) => worker.busyWith !== null).length,
      replaced: this.#replaced,
    }
  }

  /** The process that computes a run. */
  pidOf(runId: string): number | undefined {
    return this.#workers.find((worker) => worker?.busyWith === runId)?.pid
  }

  async describe(model: CatalogueEntry): Promise<ModelDescription> {
    this.start()
    const worker = await this.#first(model, () => true)
    return worker.describe(model)
  }

  /** Computes on the first worker that is free. @throws AppError CANCELLED, WORKER_LOST, or what the worker raised */
  async explain(job: ExplainJob, hooks: ExplainHooks): Promise<ExplainOutcome> {
    this.start()
    const wake = (): void => this.#wake()
    hooks.signal.addEventListener('abort', wake, { once: true })
    try {
      const worker = await this.#first(job.model, (one) => one.busyWith === null, {
        signal: hooks.signal,
        runId: job.runId,
      })
      this.#warm[this.#workers.indexOf(worker)] = job.model.id
      return await worker.explain(job, hooks)
    } finally {
      hooks.signal.removeEventListener('abort', wake)
      this.#wake()
    }
  }

  /** Ends every process; resolves when they have gone. */
  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
    const workers = this.#workers.filter((worker) => worker !== null)
    for (const worker of workers) worker.kill()
    await Promise.all(workers.map((worker) => worker.ended))
    this.#wake()
  }

  /**
   * The best living worker that will do, waiting for one where there is none: one that is idle and has the model, then an
   * idle one, then any. With `reserve` it is taken in the same breath, so that no other run gets it.
   */
  async #first(
    model: CatalogueEntry,
    willDo: (worker: WorkerProcess) => boolean,
    reserve?: { readonly signal: AbortSignal; readonly runId: string },
  ): Promise<WorkerProcess> {
    for (;;) {
      if (this.#closed) throw new AppError({ code: 'WORKER_LOST', message: 'The server is stopping.' })
      if (reserve?.signal.aborted === true) throw new AppError({ code: 'CANCELLED', message: 'The run was cancelled.' })
      const [best] = this.#living()
        .filter(willDo)
        .map((worker) => ({ worker, cost: this.#cost(worker, model) }))
        .sort((a, b) => a.cost - b.cost)
      if (best !== undefined) {
        if (reserve !== undefined) best.worker.busyWith = reserve.runId
        return best.worker
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #living(): WorkerProcess[] {
    return this.#workers.filter((worker) => worker !== null).filter((worker) => worker.alive)
  }

  #cost(worker: WorkerProcess, model: CatalogueEntry): number {
    return (worker.busyWith === null ? 0 : 2) + (this.#warm[this.#workers.indexOf(worker)] === model.id ? 0 : 1)
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #fork(slot: number): void {
    if (this.#closed) return
    const { log } = this.#options
    const worker = new WorkerProcess(this.#options)
    this.#workers[slot] = worker
    this.#warm[slot] = null
    log.debug({ worker: worker.pid }, 'worker started')
    void worker.ended.then((how) => {
      if (this.#closed) return
      this.#replaced += 1
      this.#stillborn = worker.ready ? 0 : this.#stillborn + 1
      const wait = RESTART_AFTER_MS[Math.min(this.#stillborn, RESTART_AFTER_MS.length - 1)] ?? 0
      log.warn({ worker: worker.pid, how }, 'worker ended, starting another')
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        this.#fork(slot)
      }, wait)
      this.#timers.add(timer)
    })
    this.#wake()
  }
}
