/** What a worker is started with, on both sides of its command line: where the content lies that its jobs name. */
import { parseArgs } from 'node:util'
import { AssetFiles } from '../storage/asset-files.ts'
import { FolderModels } from '../storage/folder-models.ts'
import type { WorkerParts } from './kind.ts'
import { loadFrom, ModelCache } from './model-cache.ts'
import { PictureCache } from './picture-cache.ts'

export interface WorkerFolders {
  /** The data folder, in which the pictures lie. */
  readonly data: string
  /** Folders of models, searched in this order. */
  readonly models: readonly string[]
}

const MODELS_KEPT = 3
/** Bytes of decoded pixels: ten pictures of the largest kind (2048 x 2048), hundreds of usual ones. */
const PICTURES_KEPT = 128 * 2 ** 20

export function workerArguments({ data, models }: WorkerFolders): string[] {
  return ['--data', data, ...models.flatMap((folder) => ['--models', folder])]
}

/** @throws TypeError for arguments that {@link workerArguments} does not write */
export function readFolders(args: readonly string[]): WorkerFolders {
  const { values } = parseArgs({
    args: [...args],
    options: { data: { type: 'string' }, models: { type: 'string', multiple: true } },
  })
  if (values.data === undefined) throw new TypeError('a worker is started with --data <folder>')
  return { data: values.data, models: values.models ?? [] }
}

export function openWorkerParts({ data, models }: WorkerFolders): WorkerParts {
  const assets = new AssetFiles(data)
  return {
    assets,
    models: new ModelCache(MODELS_KEPT, loadFrom(new FolderModels(models))),
    pictures: new PictureCache(assets, PICTURES_KEPT),
  }
}
