/** The models this server offers: the bundled ones, and those in a folder of the user's own. */
import { join } from 'node:path'
import type { CatalogueEntry } from '../lib/models/catalogue.ts'
import type { ModelProblem, ModelsFolder, ModelsReading } from '../lib/models/models-folder.ts'
import type { Logger } from './logger.ts'

export interface Catalogue {
  /** The bundled models, then the user's own as they are now, each by id. */
  list(): Promise<readonly CatalogueEntry[]>
  /** Model folders that are left out, and why. */
  problems(): Promise<readonly ModelProblem[]>
}

export interface CatalogueFolders {
  readonly bundled: string
  /** Where the user puts models; need not be there. */
  readonly own: string
}

const byId = (a: CatalogueEntry, b: CatalogueEntry): number => (a.id < b.id ? -1 : 1)

/** Says each problem once, and when it is gone. */
function reporter(log: Logger, own: string): (problems: readonly ModelProblem[]) => void {
  let known = new Map<string, string>()
  return (problems) => {
    const now = new Map(problems.map(({ folder, message }) => [folder, message]))
    for (const [folder, message] of now)
      if (known.get(folder) !== message) log.warn(`${join(own, folder)} is left out: ${message}`)
    for (const folder of known.keys()) if (!now.has(folder)) log.info(`${join(own, folder)} is in order again, or gone`)
    known = now
  }
}

/** The bundled models are read when they are first asked for, the user's own whenever one of their files has changed. */
export function openCatalogue({ bundled, own }: CatalogueFolders, log: Logger): Catalogue {
  let folders: Promise<{ bundled: readonly CatalogueEntry[]; own: ModelsFolder }> | null = null
  const report = reporter(log, own)
  const open = async () => {
    const [{ listModels }, { ModelsFolder: Folder }] = await Promise.all([
      import('../lib/models/catalogue.ts'),
      import('../lib/models/models-folder.ts'),
    ])
    return { bundled: await listModels(bundled), own: new Folder(own) }
  }
  const readNow = async (): Promise<ModelsReading> => {
    folders ??= open().catch((error: unknown) => {
      folders = null // tried again the next time somebody asks
      throw error
    })
    const known = await folders
    const reading = await known.own.read(new Set(known.bundled.map(({ id }) => id)))
    report(reading.problems)
    return { entries: [...known.bundled, ...[...reading.entries].sort(byId)], problems: reading.problems }
  }
  let reading: Promise<ModelsReading> | null = null
  /** Questions that come while the folder is being read share what is found. */
  const read = (): Promise<ModelsReading> => {
    reading ??= readNow().finally(() => {
      reading = null
    })
    return reading
  }
  return {
    list: async () => (await read()).entries,
    problems: async () => (await read()).problems,
  }
}
