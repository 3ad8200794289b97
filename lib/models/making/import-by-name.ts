/** A model by its name on the hub into the user's folder of models. */
import { join } from 'node:path'
import { fetchModel, type FetchHooks } from '../../hub/fetch-model.ts'
import type { HubModel, HubSettings } from '../../hub/settings.ts'
import { importFiles, type ImportedModel } from './import-files.ts'

export interface ImportedByName extends ImportedModel {
  readonly commit: string
  /** False: the cache's files were taken without asking the hub. */
  readonly asked: boolean
}

/** @throws AppError as `fetchModel` and `importFiles` */
export async function importByName(
  model: HubModel,
  file: string | null,
  models: string,
  settings: HubSettings,
  hooks: FetchHooks,
): Promise<ImportedByName> {
  const { commit, folder, onnx, external, companions, license, asked } = await fetchModel(model, file, settings, hooks)
  const names = [onnx, ...external, ...Object.values(companions)]
  const imported = await importFiles(
    {
      paths: new Map(names.map((path) => [path, join(folder, path)])),
      title: model.name,
      source: `${model.name} at ${commit}`,
      license,
      onnx,
    },
    models,
    settings.maxBytes,
  )
  return { ...imported, commit, asked }
}
