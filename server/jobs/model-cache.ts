/** The models a worker keeps loaded: the most recently used few, each loaded once however many ask at the same time. */
import { loadModel, type LoadedModel } from '../../lib/models/load.ts'
import type { ModelStore } from '../storage/stores.ts'

/** Loads a model by its reference, `<id>@<sha256>`. */
export type Load = (ref: string) => Promise<LoadedModel>

export function loadFrom(store: ModelStore): Load {
  return async (ref) => loadModel(await store.find(ref))
}

interface Kept {
  readonly loading: Promise<LoadedModel>
  /** How many are at work with it: a model in use is never disposed of. */
  users: number
}

export class ModelCache {
  // A Map keeps the order of insertion: the first key is the least recently used.
  readonly #models = new Map<string, Kept>()
  readonly #limit: number
  readonly #load: Load

  constructor(limit: number, load: Load) {
    this.#limit = limit
    this.#load = load
  }

  /**
   * Works with a model, which stays loaded until the work has ended.
   * @param ref `<id>@<sha256>`
   * @param work gets the model, and the milliseconds this call waited for it: 0 when it was there
   */
  async use<T>(ref: string, work: (loaded: LoadedModel, loadMs: number) => Promise<T>): Promise<T> {
    const known = this.#models.get(ref)
    const kept = known ?? { loading: this.#load(ref), users: 0 }
    this.#models.delete(ref)
    this.#models.set(ref, kept)
    kept.users += 1
    const start = performance.now()
    try {
      const loaded = await kept.loading.catch((error: unknown) => {
        if (this.#models.get(ref) === kept) this.#models.delete(ref)
        throw error
      })
      return await work(loaded, known === undefined ? performance.now() - start : 0)
    } finally {
      kept.users -= 1
      this.#evict()
    }
  }

  #evict(): void {
    for (const [ref, { loading, users }] of this.#models) {
      if (this.#models.size <= this.#limit) return
      if (users > 0) continue
      this.#models.delete(ref)
      void loading.then(
        (loaded) => loaded.model.dispose(),
        () => undefined,
      )
    }
  }
}
