/** What every browser test gets: a running server, and a watch over what the pages do behind the test's back. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { expect, test as base, type APIRequestContext, type BrowserContext, type Page } from '@playwright/test'
import { startServer, type ServerUnderTest } from './server.ts'

const SAMPLES = join(import.meta.dirname, '../../public/samples')

export interface Sample {
  readonly file: string
  readonly title: string
  readonly source: string
  readonly licence: string
}

export function samplePhotos(): readonly Sample[] {
  const body: unknown = JSON.parse(readFileSync(join(SAMPLES, 'samples.json'), 'utf8'))
  const list = Array.isArray(body) ? body : Object.values(body as object).find(Array.isArray)
  return list as Sample[]
}

export function firstSample(): Sample {
  const [sample] = samplePhotos()
  if (!sample) throw new Error('public/samples/samples.json lists no photo')
  return sample
}

export function samplePath(sample: Sample): string {
  return join(SAMPLES, sample.file)
}

interface Answer<T> {
  readonly data?: T
  readonly errors?: readonly { readonly message: string }[]
}

/** One GraphQL request, as a script would send it. @throws Error with the first error's message */
export async function ask<T>(request: APIRequestContext, query: string, variables: object = {}): Promise<T> {
  const response = await request.post('/graphql', { data: { query, variables } })
  const { data, errors } = (await response.json()) as Answer<T>
  if (errors?.[0] || !data) throw new Error(errors?.[0]?.message ?? 'no data')
  return data
}

/** Stores a finished run about a review; answers its id. */
export async function explainReview(
  request: APIRequestContext,
  text: string,
  method = 'gradient-norm',
): Promise<string> {
  const { explain } = await ask<{ explain: { id: string; status: string } }>(
    request,
    'mutation ($input: ExplainInput!) { explain(input: $input, waitMs: 60000) { id status } }',
    { input: { model: 'reviews-minilm', method, text } },
  )
  expect(explain.status).toBe('DONE')
  return explain.id
}

/** Stores a finished run about the first sample photo; answers its id. */
export async function explainPhoto(request: APIRequestContext, method = 'grad-cam'): Promise<string> {
  const bytes = readFileSync(samplePath(firstSample()))
  const upload = await request.post('/api/images', {
    data: bytes,
    headers: { 'content-type': 'application/octet-stream' },
  })
  const { assetId } = (await upload.json()) as { assetId: string }
  const { explain } = await ask<{ explain: { id: string; status: string } }>(
    request,
    'mutation ($input: ExplainInput!) { explain(input: $input, waitMs: 60000) { id status } }',
    { input: { model: 'pets-cnn', method, image: { assetId } } },
  )
  expect(explain.status).toBe('DONE')
  return explain.id
}

/** What axe finds serious or critical on the page, by rule and place. */
export async function seriousViolations(page: Page): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary ?? ''}`))
}

/** Notes every request to another host, and every error that a page throws or logs. */
function watch(context: BrowserContext, origin: string, faults: string[]): void {
  context.on('request', (request) => {
    const { protocol, origin: asked } = new URL(request.url())
    const own = asked === origin || protocol === 'blob:' || protocol === 'data:'
    if (!own) faults.push(`request to another host: ${request.url()}`)
  })
  context.on('weberror', (error) => faults.push(`page error: ${error.error().message}`))
}

interface WorkerFixtures {
  readonly server: ServerUnderTest
  readonly origin: string
}
interface TestFixtures {
  /** A context of somebody else: no storage, no history, watched as the test's own. */
  readonly stranger: BrowserContext
  readonly faults: string[]
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  server: [
    async ({}, use) => {
      const server = await startServer()
      await use(server)
      await server.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  origin: [
    async ({ server }, use) => {
      await use(server.origin)
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ origin }, use) => {
    await use(origin)
  },
  faults: [
    async ({ context, origin }, use) => {
      const faults: string[] = []
      watch(context, origin, faults)
      await use(faults)
      expect(faults).toEqual([])
    },
    { auto: true },
  ],
  stranger: async ({ browser, origin, faults }, use) => {
    const context = await browser.newContext({ baseURL: origin })
    watch(context, origin, faults)
    await use(context)
    await context.close()
  },
})

export { expect }
