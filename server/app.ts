/** The HTTP application, built from injected parts; main.ts gives it the real ones, tests give it others. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { AppError } from '../lib/errors.ts'
import { presentHttpError } from './errors.ts'
import { createGraphQL, serveSubscriptions } from './http/graphql.ts'
import { createGuard, type GuardOptions } from './http/guard.ts'
import { securityHeaders } from './http/headers.ts'
import { health } from './http/health.ts'
import { imageRoutes } from './http/images.ts'
import { importRoutes } from './http/imports.ts'
import type { PoolStatus } from './jobs/worker-pool.ts'
import type { Parts } from './parts.ts'
import { createSchema } from './schema/schema.ts'

export type PageHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

export interface AppOptions extends GuardOptions {
  readonly workers: () => PoolStatus
  /** Next's handler, asked for when the first page is; null to serve the API alone. */
  readonly pages: (() => Promise<PageHandler>) | null
}

export interface App {
  readonly server: Server
  /** Ends open connections and subscriptions. */
  close(): Promise<void>
}

function mountPages(app: Express, pages: AppOptions['pages']): void {
  if (pages === null) return
  app.use(async (request, response) => {
    const handle = await pages()
    await handle(request, response)
  })
}

export async function createApp(parts: Parts, options: AppOptions): Promise<App> {
  const refuse = createGuard(options)
  const schema = createSchema()
  const { apollo, router } = await createGraphQL(parts, schema)

  const app = express()
  app.disable('x-powered-by')
  app.use(securityHeaders)
  app.use((request, response, next) => {
    const why = refuse(request)
    if (why === null) next()
    else response.status(403).json({ error: { code: 'BAD_INPUT', message: why, details: {} } })
  })
  app.get('/healthz', health(parts, options.workers))
  app.use('/api', imageRoutes(parts))
  app.use('/api', importRoutes(parts))
  app.use('/api', (request) => {
    throw new AppError({ code: 'NOT_FOUND', message: `There is nothing at ${request.method} ${request.originalUrl}.` })
  })
  app.use('/graphql', router)
  mountPages(app, options.pages)
  const onError: ErrorRequestHandler = (error, _request, response, next) => {
    if (response.headersSent) {
      next(error)
      return
    }
    const { status, body } = presentHttpError(error, parts.log)
    response.status(status).json(body)
  }
  app.use(onError)

  const server = createServer(app)
  const subscriptions = await serveSubscriptions(server, parts, schema, refuse)
  return {
    server,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await subscriptions.close()
      await apollo.stop()
      server.closeAllConnections()
      await closed
    },
  }
}
