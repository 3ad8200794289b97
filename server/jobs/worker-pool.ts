/** A fixed number of worker processes: the ones that die are replaced, and each computes one run at a time. */
import { AppError } from '../../lib/errors.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import type { Logger } from '../logger.ts'
import type { ExplainJob, ExplainOutcome, ModelDescription } from './protocol.ts'
import { WorkerProcess, type ExplainHooks, type WorkerOptions } from './worker-process.ts'

export interface PoolOptions extends WorkerOptions {
  readonly size: number
  /** How long a model may take to load and describe itself before its worker is given up; 3 minutes by default. */
  readonly describeMs?: number
  /** How long a run may go without a sign of progress before its worker is given up; 10 minutes by default. */
  readonly silentMs?: number
  readonly log: Logger
}

export interface PoolStatus {
  readonly size: number
  readonly alive: number
  readonly busy: number
  /** How many were replaced since the start. */
  readonly replaced: number
}

/** A model in native code cannot be interrupted: a worker that looks at one for so long is ended. */
const DESCRIBE_MS = 180_000
/** The same for a run: methods report their progress after every question, and no honest question takes as long. */
const SILENT_MS = 600_000

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
    const worker = await this.#first(
      model,
      () => true,
      (taken) => (taken.describing += 1),
    )
    const limit = this.#options.describeMs ?? DESCRIBE_MS
    try {
      return await this.#within(limit, worker, {
        what: `${model.id} was not loaded`,
        toUser: `The model ${model.id} could not be loaded within ${limit / 1000} seconds, so it was given up. Is it much larger than this computer's memory, or does it compute for ever?`,
        answer: () => worker.describe(model),
      })
    } finally {
      worker.describing -= 1
    }
  }

  /** An answer of a worker, which is ended where it has given no sign of life for `limit` milliseconds. @throws AppError BAD_MODEL then */
  async #within<T>(
    limit: number,
    worker: WorkerProcess,
    { what, toUser, answer }: { what: string; toUser: string; answer(alive: () => void): Promise<T> },
  ): Promise<T> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      worker.kill()
    }, limit)
    this.#timers.add(timer)
    try {
      return await answer(() => timer.refresh())
    } catch (cause) {
      if (!late) throw cause
      throw new AppError({
        code: 'BAD_MODEL',
        message: `${what} within ${limit / 1000} s`,
        userMessage: toUser,
        cause,
      })
    } finally {
      clearTimeout(timer)
      this.#timers.delete(timer)
    }
  }

  /** Computes on the first worker that is free. @throws AppError CANCELLED, WORKER_LOST, BAD_MODEL, or what the worker raised */
  async explain(job: ExplainJob, hooks: ExplainHooks): Promise<ExplainOutcome> {
    this.start()
    const wake = (): void => this.#wake()
    hooks.signal.addEventListener('abort', wake, { once: true })
    try {
      const worker = await this.#first(
        job.model,
        (one) => one.busyWith === null,
        (taken) => (taken.busyWith = job.runId),
        hooks.signal,
      )
      this.#warm[this.#workers.indexOf(worker)] = job.model.id
      const limit = this.#options.silentMs ?? SILENT_MS
      return await this.#within(limit, worker, {
        what: `a step of run ${job.runId} was not done`,
        toUser: `One step of this run took more than ${limit / 60_000} minutes, so it was given up. Does the model ${job.model.id} compute for ever? Try a smaller input or another method.`,
        answer: (alive) =>
          worker.explain(job, {
            signal: hooks.signal,
            progress: (fraction) => {
              alive()
              hooks.progress(fraction)
            },
          }),
      })
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
   * idle one, then one that only looks at a model, then any. `take` marks it in the same breath, so that whoever asks next knows.
   */
  async #first(
    model: CatalogueEntry,
    willDo: (worker: WorkerProcess) => boolean,
    take: (worker: WorkerProcess) => void,
    signal?: AbortSignal,
  ): Promise<WorkerProcess> {
    for (;;) {
      if (this.#closed) throw new AppError({ code: 'WORKER_LOST', message: 'The server is stopping.' })
      if (signal?.aborted === true) throw new AppError({ code: 'CANCELLED', message: 'The run was cancelled.' })
      const [best] = this.#living()
        .filter(willDo)
        .map((worker) => ({ worker, cost: this.#cost(worker, model) }))
        .sort((a, b) => a.cost - b.cost)
      if (best !== undefined) {
        take(best.worker)
        return best.worker
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #living(): WorkerProcess[] {
    return this.#workers.filter((worker) => worker !== null).filter((worker) => worker.alive)
  }

  #cost(worker: WorkerProcess, model: CatalogueEntry): number {
    return (
      (worker.busyWith === null ? 0 : 4) +
      (worker.describing > 0 ? 2 : 0) +
      (this.#warm[this.#workers.indexOf(worker)] === model.id ? 0 : 1)
    )
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
