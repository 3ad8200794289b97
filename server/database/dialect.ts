/** What differs from database to database. The rest of the server asks Prisma and writes no SQL of one kind. */
import type { Prisma, PrismaClient } from '../../prisma/generated/client.ts'

/** A connection below Prisma's client, for migrations. */
export interface Connection {
  /** Several statements. */
  executeScript(sql: string): Promise<void>
  queryRaw(query: { sql: string; args: unknown[]; argTypes: never[] }): Promise<{ rows: unknown[][] }>
  dispose(): Promise<void>
}

export interface DatabaseLock {
  release(): Promise<void>
}

export interface Dialect {
  /** How the database is called in errors: the path of its file. */
  readonly name: string
  /** Takes the database for this server alone, until released or the process ends. @throws AppError CONFLICT */
  lock(): Promise<DatabaseLock>
  connect(): Promise<Connection>
  client(): PrismaClient
  /** Makes Prisma's own book of migrations where it is missing. */
  readonly migrationBook: string
  /** Statements as one script that is done whole or not at all. */
  atOnce(sql: string): string
  /** Before the last connection is closed. */
  tidy(prisma: PrismaClient): Promise<void>
  /** Runs in whose text, name, notes, model's or method's id the words stand as they are; case does not count. */
  runsWith(prisma: PrismaClient, words: string): Promise<Prisma.RunWhereInput>
}
