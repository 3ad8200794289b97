/**
 * Prisma's libSQL adapter on exactly one connection. The adapter gives every transaction the open connection and opens a
 * fresh one afterwards, which forgets the PRAGMAs and leaves the old one to the garbage collector; it also holds a lock
 * for the length of a transaction, so that one connection can serve both.
 */
import { PrismaLibSql } from '@prisma/adapter-libsql'

type Client = ReturnType<PrismaLibSql['createClient']>
type Config = Parameters<PrismaLibSql['createClient']>[0]
type Transaction = Awaited<ReturnType<Client['transaction']>>

const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA foreign_keys = ON;
  PRAGMA busy_timeout = 5000;
`

/** A transaction on the client's own connection; the adapter uses no more of the interface than this. */
function transactionOn(client: Client): Pick<Transaction, 'execute' | 'commit' | 'rollback' | 'close' | 'closed'> {
  let closed = false
  const end = async (sql: string): Promise<void> => {
    closed = true
    await client.execute(sql)
  }
  return {
    get closed() {
      return closed
    },
    execute: (statement: Parameters<Transaction['execute']>[0]) => client.execute(statement),
    commit: () => end('COMMIT'),
    rollback: () => end('ROLLBACK'),
    close: () => undefined,
  }
}

export class OneConnectionAdapter extends PrismaLibSql {
  override createClient(config: Config): Client {
    const client = super.createClient(config)
    return Object.assign(client, {
      transaction: async () => {
        await client.execute('BEGIN IMMEDIATE')
        return transactionOn(client) as Transaction
      },
    })
  }

  override async connect(): ReturnType<PrismaLibSql['connect']> {
    const adapter = await super.connect()
    await adapter.executeScript(PRAGMAS)
    return adapter
  }
}
