/**
 * What server and worker say to each other. Payloads and outcomes are what their kind's schemas say, and are checked by
 * whoever receives them. Sent with 'advanced' serialisation, so typed arrays stay what they are.
 */
import type { SerialisedAppError } from '../../lib/errors.ts'

export type ToWorker =
  | { readonly type: 'run'; readonly id: number; readonly kind: string; readonly payload: unknown }
  | { readonly type: 'cancel'; readonly id: number }

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly id: number; readonly fraction: number }
  | { readonly type: 'done'; readonly id: number; readonly outcome: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly error: SerialisedAppError }
