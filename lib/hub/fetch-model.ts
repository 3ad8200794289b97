/**
 * A classifier by its name on the Hugging Face hub: resolved to a commit, its files in the cache, checked. The second time
 * nothing is downloaded, and without the network what is in the cache is taken.
 */
import { posix } from 'node:path'
import { externalFiles } from '../engine/onnx/file/external-files.ts'
import { AppError, throwIfCancelled } from '../errors.ts'
import { RepositoryCache } from './cache.ts'
import { chooseOnnx, companionsOf } from './choose.ts'
import { download, refusedBy, type RemoteFile } from './download.ts'
import { hubFetch } from './hub-fetch.ts'
import { COMMIT, isInnerPath } from './names.ts'
import type { HubModel, HubSettings } from './settings.ts'

export interface FetchHooks {
  readonly signal: AbortSignal
  /** Share of the bytes that are there, 0..1, and what is being fetched. */
  readonly progress: (fraction: number, path: string) => void
  /** The platform's own when left out. */
  readonly fetch?: typeof fetch
}

export interface FetchedModel {
  readonly commit: string
  /** The snapshot, absolute: files lie in it under their paths in the repository. */
  readonly folder: string
  readonly onnx: string
  /** Data files of the graph's weights. */
  readonly external: readonly string[]
  /** Paths by usual name: `config.json`, `tokenizer.json`, ... */
  readonly companions: Readonly<Record<string, string>>
  /** As the repository's page states it; null where it states none, or the hub was not asked. */
  readonly license: string | null
  /** False: the hub was not asked, or did not answer, and the cache's files are used. */
  readonly asked: boolean
}

const ETAG = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

interface Listing {
  readonly commit: string
  readonly license: string | null
  readonly files: ReadonlyMap<string, RemoteFile>
}

function broken(endpoint: string, found: string): AppError {
  return new AppError({
    code: 'HUB_UNREACHABLE',
    message: `The hub ${endpoint} does not answer as a hub does: ${found}.`,
  })
}

function licenseIn(cardData: unknown): string | null {
  if (typeof cardData !== 'object' || cardData === null || !('license' in cardData)) return null
  return typeof cardData.license === 'string' ? cardData.license : null
}

/** What the hub has under a revision now. @throws AppError NOT_FOUND, HUB_UNREACHABLE, CANCELLED */
async function listingOf(
  { name, revision }: HubModel,
  endpoint: string,
  fetch: typeof globalThis.fetch,
): Promise<Listing> {
  const { HubApiError, listFiles, modelInfo } = await import('@huggingface/hub')
  const common = { hubUrl: endpoint, fetch }
  try {
    const info = await modelInfo({ ...common, name, revision, additionalFields: ['sha', 'cardData'] })
    const commit: unknown = info.sha
    if (typeof commit !== 'string' || !COMMIT.test(commit)) throw broken(endpoint, `${String(commit)} is no commit`)
    const files = new Map<string, RemoteFile>()
    const listed = listFiles({ ...common, repo: { type: 'model', name }, revision: commit, recursive: true })
    for await (const { type, path, size, oid, lfs } of listed) {
      // What could not be put into a folder is not offered.
      if (type !== 'file' || !isInnerPath(path)) continue
      const etag = lfs?.oid ?? oid ?? ''
      if (!ETAG.test(etag)) throw broken(endpoint, `${path} has no hash`)
      const url = `${endpoint}/${name}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`
      files.set(path, { url, path, size: lfs?.size ?? size, etag })
    }
    return { commit, license: licenseIn(info.cardData), files }
  } catch (thrown) {
    if (thrown instanceof HubApiError) throw refusedBy(thrown.statusCode, `model ${name} at the revision ${revision}`)
    if (thrown instanceof AppError) throw thrown
    throw broken(endpoint, thrown instanceof Error ? thrown.message : String(thrown))
  }
}

/** The files of one model as they come in: adds up their sizes, and fetches what the cache lacks. */
class Fetching {
  #total = 0
  #before = 0

  constructor(
    private readonly listing: Listing,
    private readonly cache: RepositoryCache,
    private readonly maxBytes: number,
    private readonly hooks: FetchHooks & { readonly fetch: typeof fetch },
  ) {}

  /** @throws AppError BAD_MODEL for a path that the repository lacks, or for more bytes than allowed */
  async all(paths: readonly string[]): Promise<void> {
    const files = paths.map((path) => {
      const file = this.listing.files.get(path)
      if (file !== undefined) return file
      throw new AppError({
        code: 'BAD_MODEL',
        message: `The ONNX file keeps weights in ${path}, which the repository has not.`,
      })
    })
    this.#total += files.reduce((sum, { size }) => sum + size, 0)
    if (this.#total > this.maxBytes)
      throw new AppError({
        code: 'BAD_MODEL',
        message: `This model has ${Math.round(this.#total / 1e6)} MB; at most ${Math.round(this.maxBytes / 1e6)} MB are fetched. Choose a smaller file of it, such as a quantised one.`,
      })
    for (const file of files) await this.#one(file)
  }

  async #one(file: RemoteFile): Promise<void> {
    const { signal, progress, fetch } = this.hooks
    throwIfCancelled(signal)
    const share = (bytes: number): void =>
      progress(this.#total === 0 ? 1 : (this.#before + bytes) / this.#total, file.path)
    if (!(await this.cache.holds(file.etag)))
      await download(file, this.cache.blob(file.etag), { fetch, signal, progress: share })
    await this.cache.link(this.listing.commit, file.path, file.etag)
    this.#before += file.size
    share(0)
  }
}

/** The paths of a graph's data files in its repository. @throws AppError BAD_MODEL for one outside of the graph's folder */
function externalPaths(root: string, onnx: string): readonly string[] {
  return externalFiles(posix.join(root, onnx)).map((location) => {
    const path = posix.join(posix.dirname(onnx), location)
    if (isInnerPath(location)) return path
    throw new AppError({
      code: 'BAD_MODEL',
      message: `The ONNX file keeps weights in ${location}, outside of its folder; that is not followed.`,
    })
  })
}

async function fromCache(
  { name, revision }: HubModel,
  file: string | null,
  cache: RepositoryCache,
  why: AppError | null,
): Promise<FetchedModel> {
  const commit = await cache.commitOf(revision)
  const files = commit === null ? [] : await cache.files(commit)
  if (commit === null || files.length === 0)
    throw (
      why ??
      new AppError({
        code: 'NOT_FOUND',
        message: `The cache does not hold ${name} at the revision ${revision}, and HF_HUB_OFFLINE says not to ask the hub. Import it once with the network.`,
      })
    )
  const onnx = chooseOnnx(files, file)
  const folder = cache.snapshot(commit)
  const external = externalPaths(folder, onnx)
  const missing = external.find((path) => !files.includes(path))
  if (missing !== undefined)
    throw (
      why ??
      new AppError({
        code: 'NOT_FOUND',
        message: `The cache lacks ${missing} of ${name}. Import it once with the network.`,
      })
    )
  return { commit, folder, onnx, external, companions: companionsOf(onnx, files), license: null, asked: false }
}

/**
 * @param file the ONNX file's path in the repository; null: the usual one
 * @throws AppError NOT_FOUND, HUB_UNREACHABLE, BAD_MODEL, BAD_INPUT, CANCELLED
 */
export async function fetchModel(
  model: HubModel,
  file: string | null,
  settings: HubSettings,
  hooks: FetchHooks,
): Promise<FetchedModel> {
  const cache = new RepositoryCache(settings, model)
  if (settings.offline) return fromCache(model, file, cache, null)
  const fetch = hubFetch(settings, hooks.signal, hooks.fetch)
  let listing: Listing
  try {
    listing = await listingOf(model, settings.endpoint, fetch)
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'HUB_UNREACHABLE') return fromCache(model, file, cache, thrown)
    throw thrown
  }
  const paths = [...listing.files.keys()]
  const onnx = chooseOnnx(paths, file)
  const companions = companionsOf(onnx, paths)
  const fetching = new Fetching(listing, cache, settings.maxBytes, { ...hooks, fetch })
  await fetching.all([...Object.values(companions), onnx])
  const folder = cache.snapshot(listing.commit)
  const external = externalPaths(folder, onnx)
  await fetching.all(external)
  await cache.remember(model.revision, listing.commit)
  return { commit: listing.commit, folder, onnx, external, companions, license: listing.license, asked: true }
}
