/** The server's half of a kind: how its rows follow what happens to its jobs. */
import type { AppError } from '../../lib/errors.ts'
import type { JobKind } from './kind.ts'

export interface Begun<P = unknown> {
  readonly payload: P
  /** Which attempt this is, from 1. */
  readonly attempt: number
}

/** Each call is one transaction. */
export interface JobStore<P = unknown, O = unknown> {
  readonly kind: JobKind<P, O>
  /** QUEUED -> RUNNING; null when the job is no longer QUEUED. */
  begin(id: string): Promise<Begun<P> | null>
  /** RUNNING -> DONE, with the outcome. */
  complete(id: string, outcome: O): Promise<void>
  /** QUEUED or RUNNING -> FAILED. */
  fail(id: string, error: AppError): Promise<void>
  /** RUNNING -> QUEUED; with `forget`, as if this attempt had not been made. */
  requeue(id: string, forget: boolean): Promise<void>
}

/** How often a job is begun before a lost worker is put down to the job itself. */
export const MAX_ATTEMPTS = 2
