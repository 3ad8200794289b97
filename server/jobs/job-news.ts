/**
 * What is told of jobs while they are computed. Who asks need not be in the process that computes: answers are promised,
 * and asked for many jobs at once. The facts are in the rows; news only says "look again", and how far a job has come.
 */
import { RunEvents, type Watch } from './run-events.ts'

export interface JobNews {
  /** Share done, 0..1, of those of the jobs that are being computed. */
  progress(ids: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** Tells of every change of a job's status or progress. */
  watch(id: string): Watch

  /**
   * From who computes: at most ten times a second a job, which is what workers send. Never a step back. One that writes
   * it down should do so more rarely: once a second is enough for who was not watching.
   */
  advance(id: string, fraction: number): void
  /** From who changes a row: look again. */
  changed(id: string): void
  /** From who computes: it is not being computed any more. */
  ended(id: string): void
}

/** News within one process. */
export class LocalNews implements JobNews {
  readonly #events = new RunEvents()
  readonly #progress = new Map<string, number>()

  progress(ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const known = new Map<string, number>()
    for (const id of ids) {
      const fraction = this.#progress.get(id)
      if (fraction !== undefined) known.set(id, fraction)
    }
    return Promise.resolve(known)
  }

  watch(id: string): Watch {
    return this.#events.watch(id)
  }

  advance(id: string, fraction: number): void {
    if (fraction <= (this.#progress.get(id) ?? 0)) return
    this.#progress.set(id, fraction)
    this.changed(id)
  }

  changed(id: string): void {
    this.#events.emit(id)
  }

  ended(id: string): void {
    this.#progress.delete(id)
    this.changed(id)
  }
}
