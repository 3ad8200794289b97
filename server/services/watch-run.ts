import type { Run } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'
import { findRun, getRun, hasEnded } from './get-run.ts'
import { untilEnded, watchStates } from './watch-states.ts'

type WatchParts = Pick<Parts, 'prisma' | 'news'>

/**
 * The run now, and again whenever its status or progress changes, until it has ended or was deleted.
 * @throws AppError NOT_FOUND when there is no such run
 */
export function watchRun(parts: WatchParts, id: string): AsyncIterableIterator<Run> {
  return watchStates(parts.news, id, { first: () => getRun(parts, id), next: () => findRun(parts, id), hasEnded })
}

/** The run when it has ended, or as it is after `waitMs`, whichever is first. */
export async function waitForRun(parts: WatchParts, run: Run, waitMs: number): Promise<Run> {
  if (hasEnded(run) || waitMs <= 0) return run
  return untilEnded(run, watchRun(parts, run.id), waitMs)
}
