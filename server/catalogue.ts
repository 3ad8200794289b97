/** The models this server offers, read from the models folder once, when they are first asked for. */
import type { CatalogueEntry } from '../lib/models/catalogue.ts'

export interface Catalogue {
  list(): Promise<readonly CatalogueEntry[]>
}

/** A failed reading is tried again the next time somebody asks. */
export function openCatalogue(folder: string): Catalogue {
  let entries: Promise<readonly CatalogueEntry[]> | null = null
  return {
    list() {
      entries ??= import('../lib/models/catalogue.ts')
        .then(({ listModels }) => listModels(folder))
        .catch((error: unknown) => {
          entries = null
          throw error
        })
      return entries
    },
  }
}
