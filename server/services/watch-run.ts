import type { Run } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'
import { findRun, getRun, hasEnded } from './get-run.ts'

type WatchParts = Pick<Parts, 'prisma' | 'news'>

/**
 * The run now, and again whenever its status or progress changes, until it has ended or was deleted.
 * @throws AppError NOT_FOUND when there is no such run
 */
export function watchRun(parts: WatchParts, id: string): AsyncIterableIterator<Run> {
  // Watching begins before the first look, so that no change falls between.
  const watch = parts.news.watch(id)
  async function* states(): AsyncGenerator<Run> {
    try {
      let run: Run | null = await getRun(parts, id)
      for (;;) {
        yield run
        if (hasEnded(run) || !(await watch.changed())) return
        run = await findRun(parts, id)
        if (run === null) return
      }
    } finally {
      watch.close()
    }
  }
  const inner = states()
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next: () => inner.next(),
    // A generator that waits cannot be returned; closing the watch ends its waiting first.
    return: () => {
      watch.close()
      return inner.return(undefined)
    },
  }
}

/** The run when it has ended, or as it is after `waitMs`, whichever is first. */
export async function waitForRun(parts: WatchParts, run: Run, waitMs: number): Promise<Run> {
  if (hasEnded(run) || waitMs <= 0) return run
  const states = watchRun(parts, run.id)
  let latest = run
  const timer = setTimeout(() => void states.return?.(), waitMs)
  try {
    for await (const state of states) latest = state
  } finally {
    clearTimeout(timer)
  }
  return latest
}
