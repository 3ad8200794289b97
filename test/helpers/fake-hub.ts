/** A hub on loopback that answers as the real one: commits, listings, files by redirect to a store, ETags, ranges. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FakeRepository {
  /** Paths and contents by commit. */
  readonly commits: Record<string, Readonly<Record<string, Uint8Array | string>>>
  /** Commits by branch; a test moves them. */
  readonly refs: Record<string, string>
  /** Who may read it; everybody when left out. */
  readonly token?: string
}

export interface FakeHub {
  readonly url: string
  readonly requests: { readonly path: string; readonly range: string | null; readonly authorization: string | null }[]
  /** Bytes after which the connection of the next answers with a file is cut, one for each. */
  readonly cuts: number[]
  /** Where files are redirected instead of to this hub's own store. */
  redirectTo: string | null
  /** Changes what the listing says. */
  lie: (entry: TreeEntry) => TreeEntry
  /** The address of a next page of the listing. */
  nextPage: string | null
  close(): Promise<void>
}

interface TreeEntry {
  readonly type: string
  readonly path: string
  readonly size: number
  readonly oid: string
  readonly lfs?: { readonly oid: string; readonly size: number; readonly pointerSize: number }
}

/** From this size on the hub keeps a file in LFS, here. */
const LFS_FROM = 1000
const HEX_40 = /^[0-9a-f]{40}$/

const bytesOf = (content: Uint8Array | string): Buffer => Buffer.from(content as string)
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const gitOid = (bytes: Buffer): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')

function entryOf(path: string, content: Uint8Array | string): TreeEntry {
  const bytes = bytesOf(content)
  const plain = { type: 'file', path, size: bytes.length, oid: gitOid(bytes) }
  if (bytes.length < LFS_FROM) return plain
  return { ...plain, oid: '0'.repeat(40), lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } }
}

export async function startFakeHub(repositories: Record<string, FakeRepository>): Promise<FakeHub> {
  const requests: FakeHub['requests'] = []
  const cuts: number[] = []

  const json = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  const find = (name: string, revision: string) => {
    const repository = repositories[name]
    const commit = HEX_40.test(revision) ? revision : repository?.refs[revision]
    const files = commit === undefined ? undefined : repository?.commits[commit]
    return repository === undefined || commit === undefined || files === undefined
      ? null
      : { repository, commit, files }
  }
  const sendFile = (request: IncomingMessage, response: ServerResponse, bytes: Buffer): void => {
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')
    const from = asked === null ? 0 : Number(asked[1])
    const cut = cuts.shift()
    response.writeHead(asked === null ? 200 : 206, {
      'content-type': 'application/octet-stream',
      'content-length': bytes.length - from,
      ...(asked === null ? {} : { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    })
    if (cut === undefined) response.end(bytes.subarray(from))
    else response.write(bytes.subarray(from, from + cut), () => response.destroy())
  }

  const hub = { redirectTo: null as string | null, nextPage: null as string | null, lie: (entry: TreeEntry) => entry }
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://hub')
    const path = decodeURIComponent(url.pathname)
    const authorization = request.headers.authorization ?? null
    requests.push({ path, range: request.headers.range ?? null, authorization })
    const api = /^\/api\/models\/(.+?)\/(revision|tree)\/(.+)$/.exec(path)
    const resolve = /^\/(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(path)
    const blob = /^\/store\/(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(path)
    const [, name = '', revision = '', file = ''] = blob ?? resolve ?? [path, api?.[1], api?.[3]]
    const found = find(name, revision)
    if (found === null) {
      json(response, 404, { error: 'Repository not found' })
      return
    }
    if (found.repository.token !== undefined && authorization !== `Bearer ${found.repository.token}` && blob === null) {
      json(response, 401, { error: 'Invalid username or password.' })
      return
    }
    if (api?.[2] === 'revision') {
      json(response, 200, {
        _id: '0',
        id: name,
        sha: found.commit,
        lastModified: '2026-01-01T00:00:00.000Z',
        cardData: { license: 'apache-2.0' },
      })
      return
    }
    if (api?.[2] === 'tree') {
      if (hub.nextPage !== null) response.setHeader('link', `<${hub.nextPage}>; rel="next"`)
      json(
        response,
        200,
        Object.entries(found.files).map(([at, content]) => hub.lie(entryOf(at, content))),
      )
      return
    }
    const content = found.files[file]
    if (content === undefined) {
      response.setHeader('x-error-code', 'EntryNotFound')
      json(response, 404, { error: 'Entry not found' })
      return
    }
    const { lfs, oid } = entryOf(file, content)
    if (lfs !== undefined && blob === null) {
      response.writeHead(302, {
        location: hub.redirectTo ?? `/store${url.pathname}`,
        'x-repo-commit': found.commit,
        'x-linked-etag': `"${lfs.oid}"`,
        'x-linked-size': lfs.size,
      })
      response.end()
      return
    }
    response.setHeader('etag', `"${lfs?.oid ?? oid}"`)
    sendFile(request, response, bytesOf(content))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return Object.assign(hub, {
    url,
    requests,
    cuts,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
}
