import type { RequestHandler } from 'express'
import type { PoolStatus } from '../jobs/worker-pool.ts'
import type { Parts } from '../parts.ts'
import { checkDatabase } from '../services/check-database.ts'

/** GET /healthz: 200 while the database answers; workers that are being replaced do not make the server unwell. */
export function health(parts: Pick<Parts, 'prisma' | 'version'>, workers: () => PoolStatus): RequestHandler {
  return async (_request, response) => {
    const well = await checkDatabase(parts)
    response
      .status(well ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({
        status: well ? 'ok' : 'failing',
        version: parts.version,
        database: well ? 'ok' : 'unreachable',
        workers: workers(),
      })
  }
}
