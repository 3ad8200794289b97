/**
 * Imports of models while this server runs: one after the other, in memory. What is fetched and copied is done here, since
 * it waits for disks and a network and computes nothing; the first try is a worker's job. An import that a stop ends is
 * asked for again by whoever wants it, and goes on with what has arrived in the cache.
 */
import { randomUUID } from 'node:crypto'
import { AppError, type SerialisedAppError } from '../lib/errors.ts'
import type { HubModel, HubSettings } from '../lib/hub/settings.ts'
import type { CatalogueEntry } from '../lib/models/catalogue.ts'
import type { ImportedModel } from '../lib/models/making/import-files.ts'
import type { Guess } from '../lib/models/making/sources.ts'
import { refOf } from '../lib/models/model-ref.ts'
import type { ModelTrial } from '../lib/try-model.ts'
import type { JobNews } from './jobs/job-news.ts'
import { tryModelKind } from './jobs/kinds/try-model.ts'
import type { WorkerPool } from './jobs/worker-pool.ts'
import type { Logger } from './logger.ts'

/** By name, or files that were sent here. */
type ImportSource =
  | { readonly kind: 'hub'; readonly model: HubModel; readonly file: string | null }
  | {
      readonly kind: 'files'
      readonly title: string
      readonly paths: ReadonlyMap<string, string>
      readonly dispose: () => Promise<void>
    }

export interface ModelImport {
  readonly id: string
  /** `org/name`, or what the sent files are called. */
  readonly name: string
  readonly status: 'QUEUED' | 'RUNNING' | 'DONE' | 'FAILED' | 'CANCELLED'
  /** What is being done, in words. */
  readonly doing: string
  /** 0..1 */
  readonly progress: number
  readonly error: SerialisedAppError | null
  readonly commit: string | null
  readonly entries: readonly CatalogueEntry[]
  readonly guesses: readonly Guess[]
  readonly trials: readonly ModelTrial[]
}

export interface Imports {
  /** Where sent files wait, and how many bytes of them are taken. */
  readonly uploads: { readonly folder: string; readonly maxBytes: number }
  /** Begins one, or puts it behind those that were asked for before. */
  start(source: ImportSource): ModelImport
  find(id: string): ModelImport | null
  /** Ends one that has not ended. */
  cancel(id: string): ModelImport | null
  /** Ends all. */
  close(): Promise<void>
}

export interface ImportsOptions {
  readonly hub: HubSettings
  /** The user's folder of models. */
  readonly models: string
  /** Where sent files wait. */
  readonly uploads: string
  readonly pool: Pick<WorkerPool, 'run'>
  readonly news: JobNews
  readonly log: Logger
}

/** Ended ones that are remembered. */
const REMEMBERED = 50
/** Shares of the bar: fetching takes the longest. */
const FETCHED = 0.9
/** The least step that is told, so that a large file is not told of a thousand times a second. */
const STEP = 0.002

export function hasEnded({ status }: ModelImport): boolean {
  return status !== 'QUEUED' && status !== 'RUNNING'
}

function begin(source: ImportSource): ModelImport {
  return {
    id: randomUUID(),
    name: source.kind === 'hub' ? source.model.name : source.title,
    status: 'QUEUED',
    doing: 'Waiting for the import before it',
    progress: 0,
    error: null,
    commit: null,
    entries: [],
    guesses: [],
    trials: [],
  }
}

export function openImports({ hub, models, uploads, pool, news, log }: ImportsOptions): Imports {
  const imports = new Map<string, ModelImport>()
  const running = new Map<string, AbortController>()
  let last: Promise<void> = Promise.resolve()

  const change = (id: string, fields: Partial<ModelImport>): void => {
    const known = imports.get(id)
    if (known === undefined || hasEnded(known)) return
    imports.set(id, { ...known, ...fields })
    news.changed(id)
  }

  const fetchAndCopy = async (id: string, source: ImportSource, signal: AbortSignal): Promise<ImportedModel> => {
    if (source.kind === 'files') {
      change(id, { doing: 'Reading the files', progress: FETCHED / 2 })
      const { importFiles } = await import('../lib/models/making/import-files.ts')
      const { title, paths } = source
      return importFiles(
        { paths, title, source: `files called ${title}`, license: null, onnx: null },
        models,
        hub.maxBytes,
      )
    }
    change(id, { doing: hub.offline ? 'Looking into the cache' : `Asking ${new URL(hub.endpoint).host}` })
    const { importByName } = await import('../lib/models/making/import-by-name.ts')
    let told = 0
    const imported = await importByName(source.model, source.file, models, hub, {
      signal,
      progress: (fraction, path) => {
        if (fraction < 1 && fraction - told < STEP) return
        told = fraction
        change(id, { doing: `Fetching ${path}`, progress: fraction * FETCHED })
      },
    })
    change(id, { commit: imported.commit })
    return imported
  }

  /** What was sent is copied by now, or not wanted. */
  const dispose = async (source: ImportSource): Promise<void> => {
    if (source.kind !== 'files') return
    await source.dispose().catch((error: unknown) => log.warn({ err: error }, 'sent files were not removed'))
  }

  const run = async (id: string, source: ImportSource, signal: AbortSignal): Promise<void> => {
    try {
      if (signal.aborted) {
        await dispose(source)
        return
      }
      change(id, { status: 'RUNNING' })
      const { entries, guesses } = await fetchAndCopy(id, source, signal).finally(() => dispose(source))
      change(id, { doing: 'Trying the model', progress: FETCHED, entries, guesses })
      const trials: ModelTrial[] = []
      for (const entry of entries) {
        const job = { id: `try ${refOf(entry)}`, payload: { model: refOf(entry) } }
        // A model that cannot be opened is there all the same, and says why: as one that was put there by hand.
        const trial = await pool
          .run(tryModelKind, job, { signal, progress: () => undefined })
          .catch((thrown: unknown) => {
            const error = AppError.from(thrown)
            if (error.code === 'CANCELLED') throw error
            return { problems: [error.userMessage], inputs: [], classes: entry.card.labels.length, tried: null }
          })
        trials.push(trial)
      }
      change(id, { status: 'DONE', doing: '', progress: 1, trials })
      log.info({ name: imports.get(id)?.name }, `import ${id} done`)
    } catch (thrown) {
      const error = AppError.from(thrown)
      log.warn(
        { code: error.code, ...(error.code === 'INTERNAL' ? { err: thrown } : {}) },
        `import ${id}: ${error.message}`,
      )
      if (error.code === 'CANCELLED') change(id, { status: 'CANCELLED', doing: '' })
      else change(id, { status: 'FAILED', doing: '', error: { ...error.toJSON(), message: error.userMessage } })
    } finally {
      running.delete(id)
    }
  }

  const forget = (): void => {
    const ended = [...imports.values()].filter(hasEnded)
    for (const { id } of ended.slice(0, Math.max(0, ended.length - REMEMBERED))) imports.delete(id)
  }

  return {
    uploads: { folder: uploads, maxBytes: hub.maxBytes },
    start(source) {
      forget()
      const fresh = begin(source)
      const controller = new AbortController()
      imports.set(fresh.id, fresh)
      running.set(fresh.id, controller)
      last = last.then(() => run(fresh.id, source, controller.signal))
      return fresh
    },
    find: (id) => imports.get(id) ?? null,
    cancel(id) {
      running.get(id)?.abort()
      change(id, { status: 'CANCELLED', doing: '' })
      return imports.get(id) ?? null
    },
    async close() {
      for (const controller of running.values()) controller.abort()
      await last
    },
  }
}
