/**
 * Applies prisma/migrations through the driver adapter, in Prisma's own book-keeping, so that `prisma migrate deploy`
 * finds the database as if it had done the work itself. Each migration and its entry are one transaction.
 */
import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../lib/errors.ts'
import type { Connection, Dialect } from './dialect.ts'

interface Migration {
  readonly name: string
  readonly sql: string
  /** sha256 of the file, in hex, as Prisma computes it. */
  readonly checksum: string
}

export async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const children = await readdir(folder, { withFileTypes: true })
  const names = children.filter((child) => child.isDirectory()).map((child) => child.name)
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(folder, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

async function appliedIn(
  connection: Connection,
): Promise<ReadonlyMap<string, { checksum: string; finished: boolean }>> {
  const { rows } = await connection.queryRaw({
    sql: 'SELECT "migration_name", "checksum", "finished_at" FROM "_prisma_migrations" WHERE "rolled_back_at" IS NULL',
    args: [],
    argTypes: [],
  })
  return new Map(
    rows.map(([name, checksum, finished]) => [
      String(name),
      { checksum: String(checksum), finished: finished !== null },
    ]),
  )
}

function conflict(message: string): AppError {
  return new AppError({ code: 'CONFLICT', message })
}

/**
 * Brings the database to the newest migration; does nothing where it is there already.
 * @returns the names of the migrations that were applied now
 * @throws AppError CONFLICT when the database was written by a newer Limelight, or by one whose history differs
 */
export async function migrate(
  connection: Connection,
  { name, migrationBook, atOnce }: Pick<Dialect, 'name' | 'migrationBook' | 'atOnce'>,
  migrations: readonly Migration[],
  now: () => Date,
): Promise<readonly string[]> {
  await connection.executeScript(migrationBook)
  const applied = await appliedIn(connection)
  const known = new Set(migrations.map((migration) => migration.name))
  const newer = [...applied.keys()].find((one) => !known.has(one))
  if (newer !== undefined)
    throw conflict(
      `${name} was written by a newer Limelight (it has the migration ${newer}). Update Limelight, or choose another data folder with --data.`,
    )
  const done: string[] = []
  for (const migration of migrations) {
    const entry = applied.get(migration.name)
    if (entry !== undefined) {
      if (!entry.finished)
        throw conflict(
          `${name}: the migration ${migration.name} was begun and not finished. Restore a backup of the file.`,
        )
      if (entry.checksum !== migration.checksum)
        throw conflict(
          `${name} was made by a different ${migration.name} than this Limelight's. Choose another data folder with --data.`,
        )
      continue
    }
    const at = now().getTime()
    await connection.executeScript(
      atOnce(
        `${migration.sql}\n;` +
          `INSERT INTO "_prisma_migrations" ("id", "checksum", "finished_at", "migration_name", "started_at", "applied_steps_count")` +
          ` VALUES ('${randomUUID()}', '${migration.checksum}', ${at}, '${migration.name.replaceAll("'", "''")}', ${at}, 1);`,
      ),
    )
    done.push(migration.name)
  }
  return done
}
