/** Opens the database of a data folder: makes it where it is missing, locks it, migrates it, gives a Prisma client. */
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { PrismaClient } from '../../prisma/generated/client.ts'
import { AppError } from '../../lib/errors.ts'
import { unusableFolder } from '../before-setup.mjs'
import { MIGRATIONS } from '../paths.ts'
import { OneConnectionAdapter } from './adapter.ts'
import { makeFolder } from '../storage/make-folder.ts'
import { lockFolder, type FolderLock } from './lock.ts'
import { migrate, readMigrations } from './migrate.ts'

const DATABASE_FILE = 'limelight.db'

export interface Database {
  readonly prisma: PrismaClient
  /** Names of the migrations that were applied while opening. */
  readonly migrated: readonly string[]
  readonly close: () => Promise<void>
}

export interface OpenOptions {
  readonly now?: () => Date
  readonly migrations?: string
}

function unusable(folder: string, cause: unknown): AppError {
  return new AppError({ code: 'BAD_INPUT', message: unusableFolder(folder, cause), cause })
}

/**
 * @throws AppError BAD_INPUT when the folder cannot be written, CONFLICT when another server has it or the database is of
 *   another Limelight
 */
export async function openDatabase(folder: string, options: OpenOptions = {}): Promise<Database> {
  const { now = () => new Date(), migrations = MIGRATIONS } = options
  const file = join(folder, DATABASE_FILE)
  const adapter = new OneConnectionAdapter({ url: pathToFileURL(file).href })
  let lock: FolderLock | null = null
  let migrated: readonly string[]
  try {
    await makeFolder(folder)
    lock = await lockFolder(folder)
    const connection = await adapter.connect()
    try {
      migrated = await migrate(connection, await readMigrations(migrations), now, file)
    } finally {
      await connection.dispose()
    }
  } catch (cause) {
    await lock?.release()
    throw cause instanceof AppError ? cause : unusable(folder, cause)
  }
  const prisma = new PrismaClient({ adapter })
  const held = lock
  return {
    prisma,
    migrated,
    async close() {
      // Leaves one tidy file behind; after a crash the next start does the same.
      await prisma.$queryRaw`PRAGMA wal_checkpoint(TRUNCATE)`
      await prisma.$disconnect()
      await held.release()
    },
  }
}
