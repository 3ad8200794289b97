/** Starts a whole server: database, workers, queue, HTTP. Tests start it too, with other workers. */
import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../lib/errors.ts'
import type { HubSettings } from '../lib/hub/settings.ts'
import { METHODS } from '../lib/methods/index.ts'
import type { Method } from '../lib/methods/method.ts'
import { METRICS } from '../lib/metrics/index.ts'
import type { Metric } from '../lib/metrics/metric.ts'
import { createApp } from './app.ts'
import { checkModelsFolder, whyNotListening, type Options } from './before-setup.mjs'
import { openCatalogue } from './catalogue.ts'
import { openDatabase } from './database/open.ts'
import { imaging } from './imaging.ts'
import { openImports } from './imports.ts'
import { announced, describedBy, remembered } from './jobs/describe.ts'
import { LocalNews } from './jobs/job-news.ts'
import type { JobStore } from './jobs/job-store.ts'
import { createQueue } from './jobs/queue.ts'
import type { QueuedJob } from './jobs/queued-job.ts'
import { workerArguments } from './jobs/worker-parts.ts'
import { WorkerPool } from './jobs/worker-pool.ts'
import type { Logger } from './logger.ts'
import { asAppError } from './options.ts'
import { openPages } from './pages.ts'
import type { Parts } from './parts.ts'
import { MODELS, ROOT, WORKER } from './paths.ts'
import { createComparisonStore } from './services/comparison-store.ts'
import { createEvaluationStore } from './services/evaluation-store.ts'
import { createRunStore } from './services/run-store.ts'
import { createStatisticsStore } from './services/statistics-store.ts'
import { AssetFiles } from './storage/asset-files.ts'
import { makeFolder } from './storage/make-folder.ts'

/** How long the background waits for a first request. */
const PATIENCE_MS = 1000

export interface StartOptions extends Omit<Options, 'help' | 'logLevel' | 'modelsFolder'> {
  readonly log: Logger
  /** Where models are imported from, and where they are kept. */
  readonly hub: HubSettings
  readonly now?: () => Date
  /** What is offered; all there are when not given. A worker that computes others is another `workerEntry`. */
  readonly methods?: readonly Method[]
  readonly metrics?: readonly Metric[]
  /** The file a worker runs. */
  readonly workerEntry?: string
  readonly workerEnv?: NodeJS.ProcessEnv
  /** The user's own models; `models` in the data folder when not given. */
  readonly modelsFolder?: string
}

export interface RunningServer {
  readonly url: string
  readonly parts: Parts
  readonly pool: WorkerPool
  /** Finishes what is being written; runs that were being computed are queued for the next start. */
  stop(): Promise<void>
}

function version(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version
}

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(new AppError({ code: 'CONFLICT', message: whyNotListening(cause, host, port), cause }))
    })
    server.listen(port, host, () => resolve(server.address() as AddressInfo))
  })
}

function urlOf(host: string, port: number): string {
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`
}

/**
 * Workers and pages take a second of the processor to start. Whoever waits for the server's first answer should not wait
 * for them too, so they are begun behind it, or after a moment when nobody asks.
 * @returns a function that calls it off
 */
function afterFirstAnswer(server: Server, begin: () => void): () => void {
  let done = false
  const once = (): void => {
    if (done) return
    done = true
    clearTimeout(timer)
    begin()
  }
  const timer = setTimeout(once, PATIENCE_MS)
  server.once('request', (_request, response: ServerResponse) => {
    clearTimeout(timer)
    response.once('close', once)
  })
  return () => {
    done = true
    clearTimeout(timer)
  }
}

/**
 * The folder of the user's own models: the one in the data folder is made, so that it can be found; another one must be
 * there.
 */
async function ownModels({ dataFolder, modelsFolder = join(dataFolder, 'models') }: StartOptions): Promise<string> {
  try {
    checkModelsFolder({ dataFolder, modelsFolder })
  } catch (error) {
    throw asAppError(error)
  }
  if (modelsFolder === join(dataFolder, 'models')) await makeFolder(modelsFolder)
  return modelsFolder
}

/** The jobs that the last server left behind and that are to be done now. */
async function recovered(stores: readonly JobStore[], log: Logger): Promise<readonly QueuedJob[]> {
  const jobs: QueuedJob[] = []
  for (const store of stores) {
    const { queued, failed } = await store.recover()
    if (failed + queued.length > 0)
      log.warn(`after the last stop: ${queued.length} ${store.kind.noun}s queued again, ${failed} given up`)
    jobs.push(...queued)
  }
  return jobs
}

/** @throws AppError with one sentence for the person who starts it */
export async function start(options: StartOptions): Promise<RunningServer> {
  const { log, host, dataFolder, now = () => new Date(), methods = METHODS, metrics = METRICS } = options
  const database = await openDatabase(dataFolder, { now })
  const undo: (() => Promise<void>)[] = [() => database.close()]
  try {
    const { prisma, dialect } = database
    const files = new AssetFiles(dataFolder)
    const own = await ownModels(options)
    const catalogue = openCatalogue({ bundled: MODELS, own }, log)
    const pool = new WorkerPool({
      entry: options.workerEntry ?? WORKER.entry,
      args: workerArguments({ data: dataFolder, models: [MODELS, own] }),
      execArgv: WORKER.execArgv,
      ...(options.workerEnv === undefined ? {} : { env: options.workerEnv }),
      size: options.workers,
      log,
    })
    const news = new LocalNews()
    const runs = createRunStore({ prisma, methods, now, version: version() })
    const stores = [
      runs,
      createComparisonStore(runs),
      createEvaluationStore({ prisma, now, version: version() }),
      createStatisticsStore({ prisma, now, version: version() }),
    ]
    const imports = openImports({
      hub: options.hub,
      models: own,
      uploads: join(dataFolder, 'importing'),
      pool,
      news,
      log,
    })
    const queue = createQueue({ stores, pool, news, log })
    const parts: Parts = {
      prisma,
      dialect,
      files,
      catalogue,
      methods,
      metrics,
      imaging,
      describe: remembered(announced(describedBy(pool), log)),
      queue,
      imports,
      news,
      now,
      log,
      version: version(),
    }
    let port = options.port
    const pages = options.apiOnly ? null : openPages(ROOT, () => ({ hostname: host, port }))
    const app = await createApp(parts, {
      host,
      names: options.allowHosts,
      workers: () => pool.status(),
      pages: pages === null ? null : () => pages.handler(),
    })
    undo.unshift(() => app.close())
    // Before anybody can ask: the first answer already tells what became of the runs that were left behind.
    const leftBehind = await recovered(stores, log)
    port = (await listen(app.server, host, options.port)).port

    const resume = async (): Promise<void> => {
      for (const job of leftBehind) queue.enqueue(job)
      pool.start()
      await pages?.handler()
      await catalogue.list() // says which models are left out, before somebody looks for them
    }
    const cancelResume = afterFirstAnswer(app.server, () => {
      resume().catch((error: unknown) => log.error({ err: error }, 'starting was not completed'))
    })

    return {
      url: urlOf(host, port),
      parts,
      pool,
      async stop() {
        cancelResume()
        const settled = Promise.all([queue.close(), imports.close()])
        await pool.close()
        await settled
        await app.close()
        await pages?.close()
        await database.close()
      },
    }
  } catch (error) {
    for (const step of undo) await step().catch(() => undefined)
    throw error
  }
}
