import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const SERVER = resolve(import.meta.dirname, '../../../server')

/** What only SQLite says. */
const ITS_OWN = /\b(PRAGMA|LIKE|ESCAPE|BEGIN|IMMEDIATE|EXCLUSIVE|sqlite_\w+|libsql)\b|@prisma\/adapter|busy_timeout/
/** build.ts names packages that stay outside the bundle. */
const WHERE = ['build.ts', 'database/one-connection.ts', 'database/sqlite.ts']

test("SQLite's dialect is spoken in server/database/sqlite.ts and its connection alone", () => {
  const files = readdirSync(SERVER, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const speaking = files.filter((file) => ITS_OWN.test(readFileSync(join(SERVER, file), 'utf8')))
  expect(speaking.sort()).toEqual(WHERE)
})
