/** The models in folders of this machine, found by what they are made of. */
import { AppError } from '../../lib/errors.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import { idIn } from '../../lib/models/model-ref.ts'
import type { ModelsFolder } from '../../lib/models/models-folder.ts'
import type { ModelStore } from './stores.ts'

export class FolderModels implements ModelStore {
  readonly #paths: readonly string[]
  #folders: Promise<readonly ModelsFolder[]> | null = null

  constructor(paths: readonly string[]) {
    this.#paths = paths
  }

  /** Read when the first model is asked for: a worker is there sooner without. */
  async #open(): Promise<readonly ModelsFolder[]> {
    const { ModelsFolder: Folder } = await import('../../lib/models/models-folder.ts')
    return this.#paths.map((path) => new Folder(path))
  }

  async find(ref: string): Promise<CatalogueEntry> {
    this.#folders ??= this.#open()
    for (const folder of await this.#folders) {
      const found = await folder.find(ref)
      if (found !== null) return found
    }
    throw new AppError({
      code: 'UNKNOWN_MODEL',
      message: `no folder of models holds ${ref}`,
      userMessage: `The model ${idIn(ref)} has changed or gone since this was asked for. Ask again.`,
      details: { model: ref },
    })
  }
}
