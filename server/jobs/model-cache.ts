/** The models a worker keeps loaded: the most recently used few, each loaded once however many ask at the same time. */
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import { loadModel, type LoadedModel } from '../../lib/models/load.ts'

interface Kept {
  readonly loading: Promise<LoadedModel>
  /** How many are at work with it: a model in use is never disposed of. */
  users: number
}

export class ModelCache {
  // A Map keeps the order of insertion: the first key is the least recently used.
  readonly #models = new Map<string, Kept>()
  readonly #limit: number
  readonly #load: (entry: CatalogueEntry) => Promise<LoadedModel>

  constructor(limit: number, load: (entry: CatalogueEntry) => Promise<LoadedModel> = loadModel) {
    this.#limit = limit
    this.#load = load
  }

  /**
   * Works with a model, which stays loaded until the work has ended.
   * @param work gets the model, and the milliseconds this call waited for it: 0 when it was there
   */
  async use<T>(entry: CatalogueEntry, work: (loaded: LoadedModel, loadMs: number) => Promise<T>): Promise<T> {
    const key = `${entry.id}@${entry.sha256}`
    const known = this.#models.get(key)
    const kept = known ?? { loading: this.#load(entry), users: 0 }
    this.#models.delete(key)
    this.#models.set(key, kept)
    kept.users += 1
    const start = performance.now()
    try {
      const loaded = await kept.loading.catch((error: unknown) => {
        if (this.#models.get(key) === kept) this.#models.delete(key)
        throw error
      })
      return await work(loaded, known === undefined ? performance.now() - start : 0)
    } finally {
      kept.users -= 1
      this.#evict()
    }
  }

  #evict(): void {
    for (const [key, { loading, users }] of this.#models) {
      if (this.#models.size <= this.#limit) return
      if (users > 0) continue
      this.#models.delete(key)
      void loading.then(
        (loaded) => loaded.model.dispose(),
        () => undefined,
      )
    }
  }
}
