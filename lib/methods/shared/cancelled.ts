/** Where a run stops that was cancelled. */
import { AppError } from '../../errors.ts'

/** @throws AppError CANCELLED */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new AppError({ code: 'CANCELLED', message: 'The run was cancelled.' })
}
