/**
 * What a job is: a kind and a payload, both data. A kind is one file in `kinds/` and one line in `kinds/index.ts`; the
 * protocol, the pool and the queue know no kind by name. Server and worker both load the file: what computes is imported
 * inside `handle`, so that only the worker loads it; how an outcome is stored is a {@link JobStore}'s affair, which only
 * the server loads.
 */
import type { z } from 'zod'
import { AppError, type ErrorCode } from '../../lib/errors.ts'
import type { DecodedImage } from '../../lib/image/decode.ts'
import { oneLine } from '../../lib/models/card.ts'
import type { LoadedModel } from '../../lib/models/load.ts'
import type { AssetStore } from '../storage/stores.ts'

export interface JobHooks {
  readonly signal: AbortSignal
  /** Share done, 0..1. */
  progress(fraction: number): void
}

/** What a worker has for its jobs. Payloads name models and pictures by their content; this is where they are found. */
export interface WorkerParts {
  readonly models: {
    /**
     * Works with a model, which stays loaded until the work has ended.
     * @param ref `<id>@<sha256>`
     * @param work gets the model, and the milliseconds this call waited for it: 0 when it was there
     * @throws AppError UNKNOWN_MODEL
     */
    use<T>(ref: string, work: (loaded: LoadedModel, loadMs: number) => Promise<T>): Promise<T>
  }
  readonly pictures: {
    /** The pixels of a picture, which is decoded once for many jobs. @throws AppError NOT_FOUND, BAD_IMAGE */
    decoded(sha256: string): Promise<DecodedImage>
  }
  readonly assets: AssetStore
}

export interface JobKind<P = unknown, O = unknown> {
  /** Unique among the kinds. */
  readonly id: string
  /** What one of them is called in a sentence: 'run'. */
  readonly noun: string
  /** Checks what arrives at the worker. Checks only: a schema that changes what it parses would not be heard. */
  readonly payload: z.ZodType<P>
  /** Checks what comes back, in the same way. */
  readonly outcome: z.ZodType<O>
  /** True: has a worker for itself while it computes. False: only looks, beside whatever else the worker does. */
  readonly exclusive: boolean
  /** How long it may go without a sign of progress, in milliseconds, before its worker is ended. */
  readonly silentMs: number
  /** What is said then, for the log and for people. */
  gaveUp(payload: P, limitMs: number): { readonly message: string; readonly userMessage: string }
  /** References of the models and hashes of the pictures it works with, dearest first: a worker that has them is preferred. */
  uses(payload: P): readonly string[]
  /** What the log says of one. */
  about(payload: P): Readonly<Record<string, string>>
  /** Computes, in the worker. Reports progress after every step; throws CANCELLED soon after the signal. */
  handle(payload: P, parts: WorkerParts, hooks: JobHooks): Promise<O>
}

type Definition<P, O> = Pick<JobKind<P, O>, 'id' | 'payload' | 'outcome' | 'handle'> & Partial<JobKind<P, O>>

/** Ten minutes: handlers report their progress after every question, and no honest question takes as long. */
const SILENT_MS = 600_000

/** A kind with what most kinds have in common filled in. */
export function jobKind<P, O>(definition: Definition<P, O>): JobKind<P, O> {
  const { noun = 'run' } = definition
  return {
    noun,
    exclusive: true,
    silentMs: SILENT_MS,
    uses: () => [],
    about: () => ({}),
    gaveUp: (_payload, limitMs) => ({
      message: `a step of a ${definition.id} job was not done`,
      userMessage: `One step of this ${noun} took more than ${limitMs / 60_000} minutes, so it was given up.`,
    }),
    ...definition,
  }
}

/**
 * What has crossed the border of a process, if it is what it should be.
 * @throws AppError `code`, naming the fields that are not
 */
export function checked<T>(schema: z.ZodType<T>, value: unknown, what: string, code: ErrorCode): T {
  const result = schema.safeParse(value)
  // The value itself, not zod's copy: what is stored keeps the order of its fields.
  if (result.success) return value as T
  throw new AppError({ code, message: `${what} is not as it should be: ${oneLine(result.error)}` })
}
