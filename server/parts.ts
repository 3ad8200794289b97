/** What the server is built from. Everything that reaches outside comes in through here, so that tests can replace it. */
import type { PrismaClient } from '../prisma/generated/client.ts'
import type { Method } from '../lib/methods/method.ts'
import type { Metric } from '../lib/metrics/metric.ts'
import type { Catalogue } from './catalogue.ts'
import type { Dialect } from './database/dialect.ts'
import type { Logger } from './logger.ts'
import type { JobNews } from './jobs/job-news.ts'
import type { JobQueue } from './jobs/queue.ts'
import type { Describe } from './jobs/describe.ts'
import type { AssetFiles } from './storage/asset-files.ts'
import type { Imaging } from './imaging.ts'
import type { Imports } from './imports.ts'

export interface Parts {
  readonly prisma: PrismaClient
  /** What Prisma does not say for every database alike. */
  readonly dialect: Dialect
  readonly files: AssetFiles
  readonly catalogue: Catalogue
  readonly methods: readonly Method[]
  readonly metrics: readonly Metric[]
  readonly imaging: Imaging
  /** What a model can be asked; loads it in a worker when that is not known yet. */
  readonly describe: Describe
  readonly queue: JobQueue
  /** Models on their way in. */
  readonly imports: Imports
  /** How far jobs have come, and when to look again. */
  readonly news: JobNews
  readonly now: () => Date
  readonly log: Logger
  readonly version: string
}
