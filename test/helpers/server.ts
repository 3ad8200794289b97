/** A whole server inside the test's process: real database in a temporary folder, real worker processes, random port. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLogger } from '../../server/logger.ts'
import { hubSettings } from '../../server/hub-settings.ts'
import { start, type RunningServer, type StartOptions } from '../../server/start.ts'

export const SLOW_WORKER = fileURLToPath(new URL('slow-worker.ts', import.meta.url))

export interface GraphQLAnswer {
  // Answers are checked by the expectations on them.
  readonly data: Record<string, never> | null
  readonly errors?: readonly {
    readonly message: string
    readonly extensions: { readonly code: string; readonly details?: unknown }
  }[]
}

export interface TestServer extends RunningServer {
  readonly folder: string
  graphql(query: string, variables?: Record<string, unknown>): Promise<GraphQLAnswer>
  /** The data of an answer without errors; throws the first error otherwise. */
  data<T>(query: string, variables?: Record<string, unknown>): Promise<T>
  /** How many rows every table has. */
  rows(): Promise<Record<string, number>>
  /** Stops the server; the data folder stays until `remove`. */
  remove(): Promise<void>
}

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'limelight-test-'))
}

export async function postGraphQL(
  url: string,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<GraphQLAnswer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  })
  return (await response.json()) as GraphQLAnswer
}

export async function startTestServer(options: Partial<StartOptions> = {}): Promise<TestServer> {
  const folder = options.dataFolder ?? (await temporaryFolder())
  const server = await start({
    host: '127.0.0.1',
    port: 0,
    dataFolder: folder,
    allowHosts: [],
    workers: 1,
    apiOnly: true,
    log: createLogger(process.env['LIMELIGHT_LOG'] ?? 'silent'),
    hub: hubSettings({ HF_HUB_OFFLINE: '1' }, folder),
    ...options,
  })
  const { prisma } = server.parts
  const graphql = (query: string, variables?: Record<string, unknown>) => postGraphQL(server.url, query, variables)
  return {
    ...server,
    folder,
    graphql,
    async data<T>(query: string, variables?: Record<string, unknown>) {
      const { data, errors } = await graphql(query, variables)
      if (errors !== undefined || data === null) throw new Error(JSON.stringify(errors ?? 'no data'))
      return data as T
    },
    rows: async () => ({
      asset: await prisma.asset.count(),
      modelVersion: await prisma.modelVersion.count(),
      run: await prisma.run.count(),
      result: await prisma.result.count(),
      annotation: await prisma.annotation.count(),
      shareLink: await prisma.shareLink.count(),
      evaluation: await prisma.evaluation.count(),
    }),
    async remove() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
