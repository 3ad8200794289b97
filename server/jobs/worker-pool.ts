/** A fixed number of worker processes: the ones that die are replaced, and each does one exclusive job at a time. */
import { AppError } from '../../lib/errors.ts'
import type { Logger } from '../logger.ts'
import type { JobHooks, JobKind } from './kind.ts'
import { WorkerProcess, type WorkerOptions } from './worker-process.ts'

export interface PoolOptions extends WorkerOptions {
  readonly size: number
  /** By kind of job, how long one may go without a sign of progress; the kind's own `silentMs` by default. */
  readonly silentMs?: Readonly<Record<string, number>>
  readonly log: Logger
}

/** A job as the pool takes it. */
export interface Job<P = unknown> {
  /** Of its row; for one without a row, a name for {@link WorkerPool.pidOf}. */
  readonly id: string
  readonly payload: P
}

export interface PoolStatus {
  readonly size: number
  readonly alive: number
  readonly busy: number
  /** How many were replaced since the start. */
  readonly replaced: number
}

/** Of how many jobs the pool remembers what they used: a worker keeps as many models at least. */
const WARM_JOBS = 3

/** Waits before a worker that died before it was ready is started again, so that a broken one does not spin. */
const RESTART_AFTER_MS = [0, 500, 2000, 10_000] as const

export class WorkerPool {
  readonly #options: PoolOptions
  readonly #workers: (WorkerProcess | null)[]
  /** What the last jobs of each slot used, newest first: it is warm there. */
  readonly #warm: (readonly (readonly string[])[])[]
  readonly #waiting: (() => void)[] = []
  readonly #timers = new Set<NodeJS.Timeout>()
  #stillborn = 0
  #replaced = 0
  #started = false
  #closed = false

  constructor(options: PoolOptions) {
    this.#options = options
    this.#workers = Array.from({ length: options.size }, () => null)
    this.#warm = Array.from({ length: options.size }, () => [])
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

  /** The process that computes an exclusive job. */
  pidOf(jobId: string): number | undefined {
    return this.#workers.find((worker) => worker?.busyWith === jobId)?.pid
  }

  /**
   * Does a job on the best worker that is free for it, waiting for one where there is none.
   * @throws AppError CANCELLED, WORKER_LOST, BAD_MODEL when it was given up, BAD_RESULT, or what the worker raised
   */
  async run<P, O>(kind: JobKind<P, O>, job: Job<P>, hooks: JobHooks): Promise<O> {
    this.start()
    const wake = (): void => this.#wake()
    hooks.signal.addEventListener('abort', wake, { once: true })
    try {
      const worker = await this.#take(kind, job, hooks.signal)
      try {
        return await this.#watched(kind, job.payload, worker, hooks)
      } finally {
        if (kind.exclusive) worker.busyWith = null
        else worker.sharing -= 1
      }
    } finally {
      hooks.signal.removeEventListener('abort', wake)
      this.#wake()
    }
  }

  /** Ends the worker where it has given no sign of life for too long. @throws AppError BAD_MODEL then */
  async #watched<P, O>(kind: JobKind<P, O>, payload: P, worker: WorkerProcess, hooks: JobHooks): Promise<O> {
    const limit = this.#options.silentMs?.[kind.id] ?? kind.silentMs
    const watch = { late: false }
    const timer = setTimeout(() => {
      watch.late = true
      worker.kill()
    }, limit)
    this.#timers.add(timer)
    // A job may be waiting for the process to start; from then on it is the job that takes its time.
    void worker.started.then(() => watch.late || timer.refresh())
    try {
      return await worker.run(kind, payload, {
        signal: hooks.signal,
        progress: (fraction) => {
          timer.refresh()
          hooks.progress(fraction)
        },
      })
    } catch (cause) {
      if (!watch.late) throw cause
      const { message, userMessage } = kind.gaveUp(payload, limit)
      throw new AppError({ code: 'BAD_MODEL', message: `${message} within ${limit / 1000} s`, userMessage, cause })
    } finally {
      clearTimeout(timer)
      this.#timers.delete(timer)
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
   * The best living worker that will do: one that is idle and has what the job uses, then an idle one, then one that does
   * what can be shared, then any. It is marked in the same breath, so that whoever asks next knows.
   */
  async #take<P, O>(kind: JobKind<P, O>, job: Job<P>, signal: AbortSignal): Promise<WorkerProcess> {
    const uses = kind.uses(job.payload)
    for (;;) {
      if (this.#closed) throw new AppError({ code: 'WORKER_LOST', message: 'The server is stopping.' })
      if (signal.aborted) throw new AppError({ code: 'CANCELLED', message: `The ${kind.noun} was cancelled.` })
      const [best] = this.#living()
        .filter((worker) => !kind.exclusive || worker.busyWith === null)
        .map((worker) => ({ worker, cost: this.#cost(worker, uses) }))
        .sort((a, b) => a.cost - b.cost)
      if (best !== undefined) {
        const { worker } = best
        if (kind.exclusive) worker.busyWith = job.id
        else worker.sharing += 1
        const slot = this.#workers.indexOf(worker)
        this.#warm[slot] = [uses, ...(this.#warm[slot] ?? [])].slice(0, WARM_JOBS)
        return worker
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #living(): WorkerProcess[] {
    return this.#workers.filter((worker) => worker !== null).filter((worker) => worker.alive)
  }

  #cost(worker: WorkerProcess, uses: readonly string[]): number {
    const warm = new Set(this.#warm[this.#workers.indexOf(worker)]?.flat())
    // What is missing costs below 1 in all, the dearest most: 1/2, 1/4, ...
    const missing = uses.reduce((sum, name, index) => sum + (warm.has(name) ? 0 : 0.5 ** (index + 1)), 0)
    return (worker.busyWith === null ? 0 : 2) + (worker.sharing > 0 ? 1 : 0) + missing
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #fork(slot: number): void {
    if (this.#closed) return
    const { log } = this.#options
    const worker = new WorkerProcess(this.#options)
    this.#workers[slot] = worker
    this.#warm[slot] = []
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
