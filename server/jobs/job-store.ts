/** The server's half of a kind: how its rows follow what happens to its jobs. */
import type { AppError } from '../../lib/errors.ts'
import type { JobKind } from './kind.ts'
import type { QueuedJob } from './queued-job.ts'

export interface Begun<P = unknown> {
  readonly payload: P
  /** Which attempt this is, from 1. */
  readonly attempt: number
}

export interface Recovered {
  /** To queue again, oldest first. */
  readonly queued: readonly QueuedJob[]
  /** How many were given up. */
  readonly failed: number
}

/** Each call is one transaction for each of the job's rows. */
export interface JobStore<P = unknown, O = unknown> {
  readonly kind: JobKind<P, O>
  /**
   * Sorts out the jobs that the last server left behind: those it had begun {@link MAX_ATTEMPTS} times are FAILED with a
   * reason, all others are QUEUED again.
   */
  recover(): Promise<Recovered>
  /** QUEUED -> RUNNING; null when the job is no longer QUEUED. */
  begin(id: string): Promise<Begun<P> | null>
  /** RUNNING -> DONE, with the outcome. */
  complete(id: string, outcome: O): Promise<void>
  /** QUEUED or RUNNING -> FAILED. */
  fail(id: string, error: AppError): Promise<void>
  /** RUNNING -> QUEUED; with `forget`, as if this attempt had not been made. */
  requeue(id: string, forget: boolean): Promise<void>
  /** Jobs that had to wait until this one was DONE or FAILED. */
  waitingFor?(id: string): Promise<readonly QueuedJob[]>
}

/** How often a job is begun before a lost worker is put down to the job itself. */
export const MAX_ATTEMPTS = 2
