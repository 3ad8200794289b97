/** The states of something that news tells of, as a subscription wants them. */
import type { JobNews } from '../jobs/job-news.ts'

interface Watched<T> {
  /** Told of at once; what it throws is thrown. */
  readonly first: () => T | Promise<T>
  /** Told of after news; null where it is gone. */
  readonly next: () => T | null | Promise<T | null>
  readonly hasEnded: (state: T) => boolean
}

/** The state now, and again whenever there is news, until it has ended or is gone. */
export function watchStates<T>(
  news: Pick<JobNews, 'watch'>,
  id: string,
  { first, next, hasEnded }: Watched<T>,
): AsyncIterableIterator<T> {
  // Watching begins before the first look, so that no change falls between.
  const watch = news.watch(id)
  async function* states(): AsyncGenerator<T> {
    try {
      let state: T | null = await first()
      for (;;) {
        yield state
        if (hasEnded(state) || !(await watch.changed())) return
        state = await next()
        if (state === null) return
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

/** The last state within `waitMs`: where it ended, or how far it has come. */
export async function untilEnded<T>(now: T, states: AsyncIterableIterator<T>, waitMs: number): Promise<T> {
  let latest = now
  const timer = setTimeout(() => void states.return?.(), waitMs)
  try {
    for await (const state of states) latest = state
  } finally {
    clearTimeout(timer)
  }
  return latest
}
