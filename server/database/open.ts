/** Opens the database of a data folder: makes it where it is missing, locks it, migrates it, gives a Prisma client. */
import type { PrismaClient } from '../../prisma/generated/client.ts'
import { AppError } from '../../lib/errors.ts'
import { unusableFolder } from '../before-setup.mjs'
import { MIGRATIONS } from '../paths.ts'
import { makeFolder } from '../storage/make-folder.ts'
import type { DatabaseLock, Dialect } from './dialect.ts'
import { migrate, readMigrations } from './migrate.ts'
import { sqliteIn } from './sqlite.ts'

export interface Database {
  readonly prisma: PrismaClient
  readonly dialect: Dialect
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
  const dialect = sqliteIn(folder)
  let lock: DatabaseLock | null = null
  let migrated: readonly string[]
  try {
    await makeFolder(folder)
    lock = await dialect.lock()
    const connection = await dialect.connect()
    try {
      migrated = await migrate(connection, dialect, await readMigrations(migrations), now)
    } finally {
      await connection.dispose()
    }
  } catch (cause) {
    await lock?.release()
    throw cause instanceof AppError ? cause : unusable(folder, cause)
  }
  const prisma = dialect.client()
  const held = lock
  return {
    prisma,
    dialect,
    migrated,
    async close() {
      await dialect.tidy(prisma)
      await prisma.$disconnect()
      await held.release()
    },
  }
}
