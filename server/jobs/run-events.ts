/** Who wants to know when a run changes. In memory: what is told is only "look again", the facts are in the database. */

export interface Watch {
  /** Resolves with true when the run has changed since the last call, with false once the watch is closed. */
  changed(): Promise<boolean>
  close(): void
}

export class RunEvents {
  readonly #listeners = new Map<string, Set<() => void>>()

  emit(runId: string): void {
    for (const listener of this.#listeners.get(runId) ?? []) listener()
  }

  /** Changes between two calls of `changed` count as one: a slow reader misses states, never the last one. */
  watch(runId: string): Watch {
    let dirty = false
    let closed = false
    let wake: ((changed: boolean) => void) | null = null
    const listener = (): void => {
      dirty = true
      if (wake === null) return
      const resolve = wake
      wake = null
      dirty = false
      resolve(true)
    }
    const listeners = this.#listeners.get(runId) ?? new Set()
    this.#listeners.set(runId, listeners.add(listener))
    return {
      changed: async () => {
        if (closed) return false
        if (dirty) {
          dirty = false
          return true
        }
        return new Promise((resolve) => {
          wake = resolve
        })
      },
      close: () => {
        closed = true
        listeners.delete(listener)
        if (listeners.size === 0 && this.#listeners.get(runId) === listeners) this.#listeners.delete(runId)
        wake?.(false)
        wake = null
      },
    }
  }
}
