/** Links to a run: unguessable, stored hashed, revocable, expiring, and showing nothing else. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encoded } from '../helpers/images.ts'
import { EXPLAIN, textInput, type Explained } from '../helpers/requests.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'

interface Link {
  readonly id: string
  readonly url: string
  readonly expiresAt: string | null
  readonly revokedAt: string | null
}

describe('a sharing link', () => {
  let server: TestServer
  let runId: string
  let now = new Date('2030-01-01T00:00:00Z')

  const share = async (id: string, expiresAt: string | null = null): Promise<Link> =>
    (
      await server.data<{ shareRun: Link }>(
        'mutation ($id: ID!, $at: DateTime) { shareRun(runId: $id, expiresAt: $at) { id url expiresAt revokedAt } }',
        { id, at: expiresAt },
      )
    ).shareRun
  const tokenOf = ({ url }: Link): string => url.slice(url.lastIndexOf('/') + 1)
  const shared = async (token: string) =>
    (
      await server.data<{ sharedRun: { id: string; shareLinks: unknown[] } | null }>(
        'query ($token: String!) { sharedRun(token: $token) { id text shareLinks { id url } predictions { label } } }',
        { token },
      )
    ).sharedRun

  beforeAll(async () => {
    server = await startTestServer({ now: () => now })
    runId = (await server.data<Explained>(EXPLAIN, { input: textInput('A fine film.') })).explain.id
  })
  afterAll(() => server.remove())

  it('shows the run to whoever has it, by a token of at least 128 bits that is not stored', async () => {
    const link = await share(runId)
    expect(link.url).toMatch(new RegExp(`^${server.url}/shared/[A-Za-z0-9_-]{22,}$`))
    const token = tokenOf(link)
    expect(Buffer.from(token, 'base64url').length).toBeGreaterThanOrEqual(16)
    expect(await shared(token)).toMatchObject({ id: runId, text: 'A fine film.' })
    const row = await server.parts.prisma.shareLink.findUniqueOrThrow({ where: { id: link.id } })
    expect(row.tokenHash).toBe(createHash('sha256').update(token).digest('hex'))
    await server.parts.prisma.$queryRaw`PRAGMA wal_checkpoint(TRUNCATE)`
    expect((await readFile(`${server.folder}/limelight.db`)).includes(token)).toBe(false)
    expect(tokenOf(await share(runId))).not.toBe(token)
  })

  it('gives nobody the other links, and its owner no secret', async () => {
    const link = await share(runId)
    expect((await shared(tokenOf(link)))?.shareLinks).toEqual([])
    const { run } = await server.data<{ run: { shareLinks: Link[] } }>(
      'query ($id: ID!) { run(id: $id) { shareLinks { id url } } }',
      { id: runId },
    )
    const own = run.shareLinks.find(({ id }) => id === link.id)
    expect(own?.url).toBe(`${server.url}/shared/`)
  })

  it('ends when it is revoked, for good', async () => {
    const link = await share(runId)
    const revoke = () =>
      server.data<{ revokeShare: Link }>('mutation ($id: ID!) { revokeShare(id: $id) { id revokedAt url } }', {
        id: link.id,
      })
    const { revokeShare } = await revoke()
    expect(revokeShare.revokedAt).toBe(now.toISOString())
    expect(await shared(tokenOf(link))).toBeNull()
    now = new Date(now.getTime() + 1000)
    expect((await revoke()).revokeShare.revokedAt).toBe(revokeShare.revokedAt)
  })

  it('ends when its time is up', async () => {
    const expiresAt = new Date(now.getTime() + 60_000).toISOString()
    const link = await share(runId, expiresAt)
    expect(link.expiresAt).toBe(expiresAt)
    now = new Date(now.getTime() + 59_999)
    expect(await shared(tokenOf(link))).not.toBeNull()
    now = new Date(now.getTime() + 1)
    expect(await shared(tokenOf(link))).toBeNull()
  })

  it('ends with its run', async () => {
    const { explain } = await server.data<Explained>(EXPLAIN, { input: textInput('Soon gone.') })
    const link = await share(explain.id)
    await server.data('mutation ($id: ID!) { deleteRun(id: $id) }', { id: explain.id })
    expect(await shared(tokenOf(link))).toBeNull()
  })

  it('cannot be made up, made for nothing, or made in the past', async () => {
    expect(await shared('')).toBeNull()
    expect(await shared('A'.repeat(32))).toBeNull()
    const nothing = await server.graphql('mutation { shareRun(runId: "x") { id } }')
    expect(nothing.errors?.[0]?.extensions.code).toBe('NOT_FOUND')
    const past = await server.graphql(
      'mutation ($id: ID!) { shareRun(runId: $id, expiresAt: "2029-12-31T00:00:00Z") { id } }',
      { id: runId },
    )
    expect(past.errors?.[0]).toMatchObject({
      extensions: { code: 'BAD_INPUT' },
      message: expect.stringContaining('past'),
    })
    const revoked = await server.graphql('mutation { revokeShare(id: "x") { id } }')
    expect(revoked.errors?.[0]?.extensions.code).toBe('NOT_FOUND')
  })

  it('is all that a picture needs, and its pictures end with it', async () => {
    const image = { base64: (await encoded('jpeg')).toString('base64') }
    const input = { model: 'pets-cnn', method: 'grad-cam', image }
    const { explain } = await server.data<Explained>(EXPLAIN, { input })
    const link = await share(explain.id)
    const token = tokenOf(link)
    const { sharedRun } = await server.data<{
      sharedRun: { image: { url: string }; attribution: { overlayUrl: string; npyUrl: string } }
    }>(
      `query ($token: String!) { sharedRun(token: $token) {
        image { url } attribution { ... on ImageAttribution { overlayUrl npyUrl } } } }`,
      { token },
    )
    const urls = [sharedRun.image.url, sharedRun.attribution.overlayUrl, sharedRun.attribution.npyUrl]
    for (const url of urls) {
      expect(url.startsWith(`/api/shared/${token}/`)).toBe(true)
      const response = await fetch(`${server.url}${url}`)
      expect(response.status).toBe(200)
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(response.headers.get('referrer-policy')).toBe('no-referrer')
    }
    await server.data('mutation ($id: ID!) { revokeShare(id: $id) { id } }', { id: link.id })
    for (const url of urls) expect((await fetch(`${server.url}${url}`)).status).toBe(404)
  })
})
