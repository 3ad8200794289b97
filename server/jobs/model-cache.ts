/** The models a worker keeps loaded: the most recently used few, each loaded once however many ask at the same time. */
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import { loadModel, type LoadedModel } from '../../lib/models/load.ts'

export interface CachedModel {
  readonly loaded: LoadedModel
  /** Milliseconds this call waited for the model. */
  readonly loadMs: number
}

export class ModelCache {
  // A Map keeps the order of insertion: the first key is the least recently used.
  readonly #models = new Map<string, Promise<LoadedModel>>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  async get(entry: CatalogueEntry): Promise<CachedModel> {
    const key = `${entry.id}@${entry.sha256}`
    const known = this.#models.get(key)
    const model = known ?? loadModel(entry)
    this.#models.delete(key)
    this.#models.set(key, model)
    const start = performance.now()
    try {
      const loaded = await model
      this.#evict()
      return { loaded, loadMs: known === undefined ? performance.now() - start : 0 }
    } catch (error) {
      if (this.#models.get(key) === model) this.#models.delete(key)
      throw error
    }
  }

  #evict(): void {
    for (const [key, model] of this.#models) {
      if (this.#models.size <= this.#limit) return
      this.#models.delete(key)
      void model.then(
        (loaded) => loaded.model.dispose(),
        () => undefined,
      )
    }
  }
}
