/** Descriptions of models, asked of a worker once for each version of each model. */
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import type { ModelDescription } from './protocol.ts'

export type Describe = (model: CatalogueEntry) => Promise<ModelDescription>

/** Remembers successes; a failure is tried again. */
export function remembered(describe: Describe): Describe {
  const known = new Map<string, Promise<ModelDescription>>()
  return (model) => {
    const key = `${model.id}@${model.sha256}`
    const found = known.get(key)
    if (found !== undefined) return found
    const asked = describe(model)
    known.set(key, asked)
    asked.catch(() => known.delete(key))
    return asked
  }
}
