import type { RequestHandler } from 'express'
import type { Parts } from '../parts.ts'
import type { PoolStatus } from '../jobs/worker-pool.ts'

/** GET /healthz: 200 while the database answers; workers that are being replaced do not make the server unwell. */
export function health(parts: Pick<Parts, 'prisma' | 'version'>, workers: () => PoolStatus): RequestHandler {
  return async (_request, response) => {
    const database = await parts.prisma.$queryRaw`SELECT 1`.then(
      () => 'ok',
      () => 'unreachable',
    )
    const status = database === 'ok' ? 'ok' : 'failing'
    response
      .status(status === 'ok' ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status, version: parts.version, database, workers: workers() })
  }
}
