import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../server/database/open.ts'

const MIGRATIONS = fileURLToPath(new URL('../../prisma/migrations', import.meta.url))
/** Every version there is, oldest first. */
const VERSIONS = readdirSync(MIGRATIONS)
  .filter((name) => /^\d{4}_/.test(name))
  .sort()

describe('the database', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'limelight-database-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('is made in a folder that is not there yet, once, and is in WAL mode with foreign keys after transactions', async () => {
    const data = join(folder, 'a b', 'data')
    const first = await openDatabase(data)
    expect(first.migrated).toEqual(VERSIONS)
    await first.prisma.$transaction([first.prisma.run.count(), first.prisma.asset.count()])
    expect(await first.prisma.$queryRaw`PRAGMA journal_mode`).toEqual([{ journal_mode: 'wal' }])
    expect(await first.prisma.$queryRaw`PRAGMA foreign_keys`).toEqual([{ foreign_keys: 1 }])
    expect(await first.prisma.$queryRaw`PRAGMA synchronous`).toEqual([{ synchronous: 1 }])
    await first.close()
    const second = await openDatabase(data)
    expect(second.migrated).toEqual([])
    await second.close()
  })

  it("keeps Prisma's book, with the checksum Prisma computes", async () => {
    const { prisma, close } = await openDatabase(folder)
    const rows = await prisma.$queryRaw<
      { checksum: string; migration_name: string; applied_steps_count: number; finished: number }[]
    >`SELECT checksum, migration_name, applied_steps_count, finished_at IS NOT NULL AS finished FROM _prisma_migrations`
    expect(rows).toMatchObject(
      VERSIONS.map((name) => {
        const sql = readFileSync(join(MIGRATIONS, name, 'migration.sql'))
        return {
          checksum: createHash('sha256').update(sql).digest('hex'),
          migration_name: name,
          applied_steps_count: 1,
        }
      }),
    )
    expect(Number(rows[0]?.finished)).toBe(1)
    await close()
  })

  it('of the first Limelight keeps its runs, which have no name and explain a class', async () => {
    const first = join(folder, 'migrations')
    await cp(MIGRATIONS, first, { recursive: true })
    for (const later of VERSIONS.slice(1)) await rm(join(first, later), { recursive: true })
    const data = join(folder, 'data')
    const before = await openDatabase(data, { migrations: first })
    expect(before.migrated).toEqual(['0001_init'])
    await before.prisma.$executeRaw`INSERT INTO "ModelVersion" VALUES ('m@1', '1', 'm', '{}', '2026-01-01T00:00:00Z')`
    await before.prisma.$executeRaw`INSERT INTO "Run" ("id", "key", "status", "modality", "modelId", "modelVersionId",
      "methodId", "methodVersion", "params", "seed", "text", "createdAt", "queuedAt") VALUES ('r', 'k', 'DONE', 'text', 'm',
      'm@1', 'gradient-norm', 1, '{}', 0, 'an old review', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')`
    await before.close()
    const after = await openDatabase(data)
    expect(after.migrated).toEqual(VERSIONS.slice(1))
    expect(await after.prisma.run.findMany()).toMatchObject([
      { id: 'r', text: 'an old review', name: null, target: null },
    ])
    await after.close()
  })

  it('of a newer Limelight is left alone', async () => {
    const newer = join(folder, 'migrations')
    await cp(MIGRATIONS, newer, { recursive: true })
    await cp(join(newer, '0001_init'), join(newer, '9999_later'), { recursive: true })
    await writeFile(join(newer, '9999_later', 'migration.sql'), 'CREATE TABLE "Later" ("id" TEXT PRIMARY KEY);')
    const data = join(folder, 'data')
    await (await openDatabase(data, { migrations: newer })).close()
    await expect(openDatabase(data)).rejects.toThrow(/newer Limelight .*9999_later/)
    // The folder was let go again.
    await (await openDatabase(data, { migrations: newer })).close()
  })

  it('whose history differs is left alone', async () => {
    const other = join(folder, 'migrations')
    await cp(MIGRATIONS, other, { recursive: true })
    const data = join(folder, 'data')
    await (await openDatabase(data)).close()
    await writeFile(join(other, '0001_init', 'migration.sql'), '-- nothing')
    await expect(openDatabase(data, { migrations: other })).rejects.toThrow(/different 0001_init/)
  })

  it('stays as it was when a migration fails', async () => {
    const broken = join(folder, 'migrations')
    await cp(MIGRATIONS, broken, { recursive: true })
    await cp(join(broken, '0001_init'), join(broken, '9999_broken'), { recursive: true })
    await writeFile(join(broken, '9999_broken', 'migration.sql'), 'CREATE TABLE "Half" ("id" TEXT); SELECT nonsense;')
    const data = join(folder, 'data')
    await expect(openDatabase(data, { migrations: broken })).rejects.toThrow()
    const { prisma, migrated, close } = await openDatabase(data)
    expect(migrated).toEqual([])
    expect(await prisma.$queryRaw`SELECT name FROM sqlite_master WHERE name = 'Half'`).toEqual([])
    await close()
  })

  it('belongs to one server at a time', async () => {
    const first = await openDatabase(folder)
    await expect(openDatabase(folder)).rejects.toThrow(/in use by another Limelight/)
    await first.close()
    await (await openDatabase(folder)).close()
  })

  it('says what to do when the folder cannot be written', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    await expect(openDatabase(join(file, 'data'))).rejects.toThrow(/cannot be written .*--data/)
  })
})
