/** /graphql over HTTP and WebSocket, with GraphiQL for browsers. */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { ApolloServer } from '@apollo/server'
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled'
import { expressMiddleware } from '@as-integrations/express5'
import express, { type ErrorRequestHandler, type RequestHandler, type Router } from 'express'
import { GraphQLError, specifiedRules, validate, type GraphQLFormattedError, type GraphQLSchema } from 'graphql'
import { presentGraphQLError } from '../errors.ts'
import type { Parts } from '../parts.ts'
import { createContext, type Context } from '../schema/context.ts'
import { documentLimits, PARSE_OPTIONS, parseLimited } from './limits-rule.ts'

/** A picture of 20 MB in base64, and the rest of the request. */
const BODY_LIMIT = '30mb'

function originOf(request: IncomingMessage): string {
  return `http://${request.headers.host ?? 'localhost'}`
}

/** Answers in GraphQL's form to a body that cannot be read. */
const badBody: ErrorRequestHandler = (error: { type?: string; status?: number }, _request, response, next) => {
  const tooLarge = error.type === 'entity.too.large'
  if (!tooLarge && error.type !== 'entity.parse.failed') {
    next(error)
    return
  }
  const message = tooLarge
    ? 'The request is larger than 30 MB. A picture may have 20 MB; upload it to /api/images, or make it smaller.'
    : 'The body of the request is not JSON.'
  const code = tooLarge ? 'IMAGE_TOO_LARGE' : 'BAD_INPUT'
  response.status(error.status ?? 400).json({ errors: [{ message, extensions: { code } }] })
}

/** The GraphiQL page: nine megabytes of it, made when it is first asked for. Loads nothing from elsewhere. */
function graphiql(): RequestHandler {
  let page: Promise<string> | null = null
  return async (request, response, next) => {
    if (request.method !== 'GET' || 'query' in request.query || request.accepts(['json', 'html']) !== 'html') {
      next()
      return
    }
    page ??= import('@graphql-yoga/render-graphiql').then(({ renderGraphiQL }) =>
      renderGraphiQL({ title: 'Limelight GraphQL', endpoint: '/graphql', subscriptionsProtocol: 'WS' }),
    )
    response.type('html').send(await page)
  }
}

export interface GraphQLParts {
  readonly apollo: ApolloServer<Context>
  readonly router: Router
}

export async function createGraphQL(parts: Parts, schema: GraphQLSchema): Promise<GraphQLParts> {
  const apollo = new ApolloServer<Context>({
    schema,
    csrfPrevention: true,
    introspection: true,
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    parseOptions: PARSE_OPTIONS,
    validationRules: [...documentLimits],
    plugins: [ApolloServerPluginLandingPageDisabled()],
    formatError: (formatted, error) => presentGraphQLError(formatted, error, parts.log, schema),
  })
  await apollo.start()
  const router = express.Router()
  router.use(graphiql())
  router.use(express.json({ limit: BODY_LIMIT }))
  router.use(badBody)
  router.use((request, _response, next) => {
    // Apollo asks for a body on every method; a GET has none.
    request.body ??= {}
    next()
  })
  router.use(expressMiddleware(apollo, { context: ({ req }) => Promise.resolve(createContext(parts, originOf(req))) }))
  return { apollo, router }
}

export interface Subscriptions {
  close(): Promise<void>
}

/** Serves graphql-ws on the same path; `refuse` says why a handshake is turned away. */
export async function serveSubscriptions(
  server: Server,
  parts: Parts,
  schema: GraphQLSchema,
  refuse: (request: IncomingMessage) => string | null,
): Promise<Subscriptions> {
  const [{ WebSocketServer }, { useServer }] = await Promise.all([import('ws'), import('graphql-ws/use/ws')])
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 32 * 1024 * 1024 })
  const present = (error: GraphQLError | GraphQLFormattedError): GraphQLFormattedError =>
    presentGraphQLError(error instanceof GraphQLError ? error.toJSON() : error, error, parts.log, schema)
  const disposable = useServer(
    {
      schema,
      context: ({ extra }) => createContext(parts, originOf(extra.request)),
      parse: parseLimited,
      validate: (its, document) => validate(its, document, [...specifiedRules, ...documentLimits]),
      onError: (_context, _id, _payload, errors) => errors.map(present),
      onNext: (_context, _id, _payload, _args, { data, errors }) => ({
        ...(data === undefined ? {} : { data }),
        ...(errors === undefined ? {} : { errors: errors.map(present) }),
      }),
    },
    sockets,
  )
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const path = request.url?.split('?')[0]
    const why = path === '/graphql' ? refuse(request) : 'There is no WebSocket here.'
    if (why !== null) {
      const status = path === '/graphql' ? '403 Forbidden' : '404 Not Found'
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n${why}\n`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request))
  }
  server.on('upgrade', onUpgrade)
  return {
    async close() {
      server.off('upgrade', onUpgrade)
      await disposable.dispose()
    },
  }
}
