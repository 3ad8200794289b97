/** SQLite: one file in the data folder, one connection, in WAL mode. All that is its own is said here. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PrismaLibSql } from '@prisma/adapter-libsql'
import { AppError } from '../../lib/errors.ts'
import { PrismaClient, type Prisma } from '../../prisma/generated/client.ts'
import type { DatabaseLock, Dialect } from './dialect.ts'
import { OneConnectionAdapter } from './one-connection.ts'

const DATABASE_FILE = 'limelight.db'

// As in prisma-engines, schema-engine/connectors/sql-schema-connector, sqlite flavour.
const BOOK = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
)`

/**
 * One server to a data folder: two would take each other's runs for ones a crash left behind. The lock is SQLite's own on
 * a file beside the database, so that the operating system releases it however the process ends.
 */
async function lock(folder: string): Promise<DatabaseLock> {
  const execute = (sql: string) => connection.executeRaw({ sql, args: [], argTypes: [] })
  const connection = await new PrismaLibSql({ url: pathToFileURL(join(folder, 'limelight.lock')).href }).connect()
  try {
    await execute('BEGIN EXCLUSIVE')
  } catch (cause) {
    await connection.dispose()
    throw new AppError({
      code: 'CONFLICT',
      message: `the data folder ${folder} is in use by another Limelight. Stop that one, or choose another folder with --data.`,
      cause,
    })
  }
  return {
    async release() {
      // Closing alone lets go only when the last statement has been collected.
      await execute('ROLLBACK')
      await connection.dispose()
    },
  }
}

/** Characters that Prisma's `contains` passes on to LIKE, where they stand for others. */
const WILDCARDS = /[%_]/

/** Ids of the runs in which the words stand as they are, percent signs and underscores too. */
async function idsWith(prisma: PrismaClient, words: string): Promise<string[]> {
  const like = `%${words.replaceAll(/[!%_]/g, '!$&')}%`
  const rows = await prisma.$queryRaw<{ id: string }[]>`
    SELECT "id" FROM "Run" WHERE "text" LIKE ${like} ESCAPE '!' OR "name" LIKE ${like} ESCAPE '!'
      OR "modelId" LIKE ${like} ESCAPE '!' OR "methodId" LIKE ${like} ESCAPE '!'
      OR "id" IN (SELECT "runId" FROM "Annotation" WHERE "note" LIKE ${like} ESCAPE '!')`
  return rows.map(({ id }) => id)
}

/** LIKE, which is what `contains` becomes, does not mind the case of ASCII letters. */
async function runsWith(prisma: PrismaClient, words: string): Promise<Prisma.RunWhereInput> {
  if (WILDCARDS.test(words)) return { id: { in: await idsWith(prisma, words) } }
  return {
    OR: [
      { text: { contains: words } },
      { name: { contains: words } },
      { modelId: { contains: words } },
      { methodId: { contains: words } },
      { annotations: { some: { note: { contains: words } } } },
    ],
  }
}

/** The database of a data folder that is there. */
export function sqliteIn(folder: string): Dialect {
  const file = join(folder, DATABASE_FILE)
  const adapter = new OneConnectionAdapter({ url: pathToFileURL(file).href })
  return {
    name: file,
    lock: () => lock(folder),
    connect: () => adapter.connect(),
    client: () => new PrismaClient({ adapter }),
    migrationBook: BOOK,
    // IMMEDIATE: a transaction that would write later could then find the file taken.
    atOnce: (sql) => `BEGIN IMMEDIATE;\n${sql}\nCOMMIT;`,
    async tidy(prisma) {
      // Leaves one tidy file behind; after a crash the next start does the same.
      await prisma.$queryRaw`PRAGMA wal_checkpoint(TRUNCATE)`
    },
    runsWith,
  }
}
