/** One file of a repository into the cache's blobs: resumed where it broke off, and checked before it gets its name. */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AppError } from '../errors.ts'
import { unreachable } from './hub-fetch.ts'

export interface RemoteFile {
  readonly url: string
  readonly path: string
  readonly size: number
  /** Git's name of the content: sha256 for a file in Git LFS, else the SHA-1 of git's blob object. */
  readonly etag: string
}

export interface DownloadHooks {
  readonly fetch: typeof fetch
  readonly signal: AbortSignal
  /** Bytes of this file that are there. */
  readonly progress: (bytes: number) => void
}

const SHA256_DIGITS = 64
const PARTIAL_CONTENT = 206
const RANGE_BEYOND = 416
/** Broken connections in a row that brought not one byte. */
const MOST_FRUITLESS = 5

/** What a file's content hashes to under its etag. */
function hasher({ etag, size }: RemoteFile): Hash {
  if (etag.length === SHA256_DIGITS) return createHash('sha256')
  return createHash('sha1').update(`blob ${size}\0`)
}

function wrong(file: RemoteFile, found: string): AppError {
  return new AppError({
    code: 'BAD_MODEL',
    message: `${file.path}: ${found}`,
    userMessage: `The file ${file.path} did not arrive as the hub describes it: ${found}. Try again; if it stays so, the repository or the mirror is broken.`,
  })
}

/** What went wrong with an answer of the hub, for people. */
export function refusedBy(status: number, what: string): AppError {
  const said: Readonly<Record<number, string>> = {
    401: `The hub does not show ${what} to everybody, or there is no such thing. Is the name right? For a private or gated model set HF_TOKEN to a token that may read it.`,
    403: `The hub does not let this account see ${what}. Ask for access on its page, and set HF_TOKEN to a token that may read it.`,
    404: `The hub has no ${what}. Check the name, the revision and the file.`,
    429: `The hub asks to wait before ${what} is fetched (too many requests). Try again later; what has arrived is kept.`,
  }
  const code = status === 404 || status === 401 || status === 403 ? 'NOT_FOUND' : 'HUB_UNREACHABLE'
  return new AppError({
    code,
    message: said[status] ?? `The hub answers ${status} for ${what}. Try again later; what has arrived is kept.`,
  })
}

async function attempt(file: RemoteFile, partial: string, from: number, hooks: DownloadHooks): Promise<void> {
  const response = await hooks.fetch(file.url, {
    headers: { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) },
  })
  if (response.status === RANGE_BEYOND) return
  if (!response.ok || response.body === null) {
    await response.body?.cancel()
    throw refusedBy(response.status, `file ${file.path}`)
  }
  // A server that knows no ranges begins again.
  const start = response.status === PARTIAL_CONTENT ? from : 0
  const out = await open(partial, start === 0 ? 'w' : 'r+')
  let at = start
  try {
    for await (const chunk of response.body as ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>) {
      if (at + chunk.length > file.size) throw wrong(file, `it has more than its ${file.size} bytes`)
      await out.write(chunk, 0, chunk.length, at)
      at += chunk.length
      hooks.progress(at)
    }
  } finally {
    await out.close()
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0
}

/** Fetches until all bytes are there; goes on at once after a connection that broke, unless several brought nothing. */
async function complete(file: RemoteFile, partial: string, hooks: DownloadHooks): Promise<void> {
  for (let fruitless = 0; ;) {
    let from = await sizeOf(partial)
    if (from > file.size) {
      await rm(partial)
      from = 0
    }
    if (from === file.size && from > 0) return
    try {
      await attempt(file, partial, from, hooks)
      if ((await sizeOf(partial)) === file.size) return
      throw wrong(file, `it has ${await sizeOf(partial)} bytes instead of ${file.size}`)
    } catch (thrown) {
      if (hooks.signal.aborted)
        throw new AppError({ code: 'CANCELLED', message: 'The import was cancelled.', cause: thrown })
      if (thrown instanceof AppError) {
        if (thrown.code === 'BAD_MODEL') await rm(partial, { force: true })
        throw thrown
      }
      // Anything else broke while the answer was read.
      fruitless = (await sizeOf(partial)) > from ? 0 : fruitless + 1
      if (fruitless === MOST_FRUITLESS) throw unreachable(new URL(file.url).origin, thrown)
    }
  }
}

/**
 * @param blob where the content lies when it is whole; `<blob>.incomplete` beside it until then
 * @throws AppError BAD_MODEL where size or hash are not as stated, NOT_FOUND, HUB_UNREACHABLE, CANCELLED
 */
export async function download(file: RemoteFile, blob: string, hooks: DownloadHooks): Promise<void> {
  const partial = `${blob}.incomplete`
  await mkdir(dirname(blob), { recursive: true })
  await complete(file, partial, hooks)
  const hash = hasher(file)
  for await (const chunk of createReadStream(partial)) hash.update(chunk as Buffer)
  if (hash.digest('hex') !== file.etag) {
    await rm(partial)
    throw wrong(file, 'its content has another hash than stated')
  }
  await rename(partial, blob)
}
