/**
 * One server to a data folder: two would take each other's runs for ones a crash left behind. The lock is SQLite's own on
 * a file beside the database, so that the operating system releases it however the process ends.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PrismaLibSql } from '@prisma/adapter-libsql'
import { AppError } from '../../lib/errors.ts'

export interface FolderLock {
  release(): Promise<void>
}

/** @throws AppError CONFLICT when another server has the folder */
export async function lockFolder(folder: string): Promise<FolderLock> {
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
