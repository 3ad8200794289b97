/** The models in folders of this machine, found by what they are made of. */
import { AppError } from '../../lib/errors.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import { idIn } from '../../lib/models/model-ref.ts'
import { ModelsFolder } from '../../lib/models/models-folder.ts'
import type { ModelStore } from './stores.ts'

export class FolderModels implements ModelStore {
  readonly #folders: readonly ModelsFolder[]

  constructor(folders: readonly string[]) {
    this.#folders = folders.map((folder) => new ModelsFolder(folder))
  }

  async find(ref: string): Promise<CatalogueEntry> {
    for (const folder of this.#folders) {
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
