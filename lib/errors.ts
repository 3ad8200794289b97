/**
 * Every error Limelight raises on purpose. Codes are a closed union; every map over it is typed by it, so adding a code
 * is a compile error wherever it has to be handled.
 */
export type ErrorCode =
  | 'BAD_INPUT' // malformed or contradictory request
  | 'BAD_IMAGE' // bytes are not a usable picture
  | 'IMAGE_TOO_LARGE' // more bytes or pixels than the limits
  | 'BAD_TEXT' // empty text, or not text
  | 'TEXT_TOO_LONG' // more text than the limits
  | 'UNKNOWN_MODEL'
  | 'UNKNOWN_METHOD'
  | 'UNKNOWN_LABEL'
  | 'UNKNOWN_LAYER'
  | 'BAD_PARAMETER' // a method parameter is unknown, of the wrong type or out of range
  | 'WRONG_MODALITY' // a picture for a text model, or text for an image model
  | 'METHOD_UNAVAILABLE' // the method needs something that this model has not
  | 'NOT_DIFFERENTIABLE' // an operator on the way to the target has no gradient rule
  | 'BAD_MODEL' // a model file cannot be read or run
  | 'HUB_UNREACHABLE' // the hub that models are fetched from does not answer, or not as it should
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'CANCELLED'
  | 'WORKER_LOST' // the worker process died while it computed the run
  | 'BAD_RESULT' // a result failed its checks (not finite, wrong shape)
  | 'INTERNAL'

export interface AppErrorOptions {
  readonly code: ErrorCode
  /** For logs: what was asked, what was found. */
  readonly message: string
  /** For the person who asked: one sentence or two, saying what to do. Defaults to `message`. */
  readonly userMessage?: string
  /** Facts a script can use, JSON-serialisable. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** The one error class: says what was asked, what was found, and what to do. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly userMessage: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(options: AppErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = options.code
    this.userMessage = options.userMessage ?? options.message
    this.details = options.details ?? {}
  }

  /** A plain object that survives process boundaries. */
  toJSON(): SerialisedAppError {
    return { code: this.code, message: this.message, userMessage: this.userMessage, details: this.details }
  }

  static fromJSON(value: SerialisedAppError): AppError {
    return new AppError(value)
  }

  /** Wraps anything thrown: an AppError stays itself, everything else becomes INTERNAL. */
  static from(thrown: unknown): AppError {
    if (thrown instanceof AppError) return thrown
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    return new AppError({
      code: 'INTERNAL',
      message,
      userMessage: 'Something went wrong inside Limelight. The log has the details.',
      cause: thrown,
    })
  }
}

export interface SerialisedAppError {
  readonly code: ErrorCode
  readonly message: string
  readonly userMessage: string
  readonly details: Readonly<Record<string, unknown>>
}

/** @throws AppError CANCELLED */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new AppError({ code: 'CANCELLED', message: 'The run was cancelled.' })
}
