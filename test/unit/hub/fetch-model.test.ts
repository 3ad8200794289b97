/** The real client against a hub on loopback. */
import { randomBytes } from 'node:crypto'
import { lstat, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProtoSchema,
  TensorProto_DataLocation,
} from '../../../lib/engine/onnx/file/proto/onnx_pb.ts'
import { fetchModel, type FetchHooks } from '../../../lib/hub/fetch-model.ts'
import type { HubSettings } from '../../../lib/hub/settings.ts'
import { startFakeHub, type FakeHub, type FakeRepository } from '../../helpers/fake-hub.ts'

const FIRST = '1'.repeat(40)
const SECOND = '2'.repeat(40)
const NAME = 'cats/tiny'

/** An ONNX file of some kilobytes whose weights lie in files of these names. */
function onnx(...locations: readonly string[]): Uint8Array {
  const initializer = [
    create(TensorProtoSchema, { name: 'filler', dataType: 1, dims: [1500n], rawData: new Uint8Array(6000) }),
    ...locations.map((value) =>
      create(TensorProtoSchema, {
        name: value,
        dataLocation: TensorProto_DataLocation.EXTERNAL,
        externalData: [{ key: 'location', value }],
      }),
    ),
  ]
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { graph: create(GraphProtoSchema, { initializer }) }))
}

const GRAPH = onnx()
const TOKENIZER = JSON.stringify({ filler: 'x'.repeat(5000) })
const FILES = {
  'config.json': '{"model_type":"bert"}',
  'tokenizer.json': TOKENIZER,
  'onnx/model.onnx': GRAPH,
  'README.md': 'hello',
}

let root: string
let hub: FakeHub
let repositories: Record<string, FakeRepository>
let settings: HubSettings

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'limelight-hub-'))
  repositories = { [NAME]: { commits: { [FIRST]: FILES }, refs: { main: FIRST } } }
  hub = await startFakeHub(repositories)
  settings = { endpoint: hub.url, token: null, cacheFolder: join(root, 'cache'), offline: false, maxBytes: 1e6 }
})
afterEach(async () => {
  await hub.close()
  await rm(root, { recursive: true, force: true })
})

function fetched({ revision = 'main', file = null as string | null, change = {}, hooks = {} } = {}) {
  const all = { signal: new AbortController().signal, progress: () => undefined, ...hooks }
  return fetchModel({ name: NAME, revision }, file, { ...settings, ...change }, all)
}

function hold(files: FakeRepository['commits'][string], commit = FIRST): void {
  const repository = repositories[NAME]
  if (repository !== undefined) repository.commits[commit] = files
}

const urlOf = (input: Parameters<typeof fetch>[0]): URL => new URL(input instanceof Request ? input.url : input)
const repository = (): string => join(settings.cacheFolder, 'models--cats--tiny')
const filesUnder = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((one) => !one.isDirectory())
    .map((one) => join(one.parentPath, one.name).slice(folder.length + 1))
    .sort()

describe('what lies in the cache', () => {
  it("is laid out as Python's: refs, snapshots of links, blobs by git's hashes; and nothing lies elsewhere", async () => {
    const found = await fetched()
    expect(found).toMatchObject({
      commit: FIRST,
      folder: join(repository(), 'snapshots', FIRST),
      onnx: 'onnx/model.onnx',
      companions: { 'config.json': 'config.json', 'tokenizer.json': 'tokenizer.json' },
      license: 'apache-2.0',
      asked: true,
    })
    expect(await readFile(join(repository(), 'refs', 'main'), 'utf8')).toBe(FIRST)
    expect(await readFile(join(found.folder, 'onnx/model.onnx'))).toEqual(Buffer.from(GRAPH))
    const link = join(found.folder, 'config.json')
    expect((await lstat(link)).isSymbolicLink()).toBe(true)
    // git hash-object of '{"model_type":"bert"}'
    expect(await readlink(link)).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/)
    expect(await readlink(join(found.folder, 'onnx/model.onnx'))).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/)
    expect(await readdir(root)).toEqual(['cache'])
    expect(await readdir(settings.cacheFolder)).toEqual(['models--cats--tiny'])
    expect((await filesUnder(repository())).filter((path) => path.includes('README'))).toEqual([])
    expect((await filesUnder(join(repository(), 'blobs'))).length).toBe(3)
  })

  it('is not downloaded again', async () => {
    await fetched()
    hub.requests.length = 0
    await fetched()
    expect(hub.requests.map(({ path }) => path)).toEqual([
      `/api/models/${NAME}/revision/main`,
      `/api/models/${NAME}/tree/${FIRST}`,
    ])
  })

  it('is enough without the network, and nothing is asked of it', async () => {
    await fetched()
    hub.requests.length = 0
    const found = await fetched({ change: { offline: true } })
    expect(found).toMatchObject({ commit: FIRST, onnx: 'onnx/model.onnx', asked: false })
    expect(Object.keys(found.companions)).toEqual(['config.json', 'tokenizer.json'])
    expect(hub.requests).toEqual([])
  })

  it('is used where the hub does not answer', async () => {
    await fetched()
    await hub.close()
    expect(await fetched()).toMatchObject({ commit: FIRST, asked: false })
  })

  it('says what to do where it is empty and the network is off', async () => {
    await expect(fetched({ change: { offline: true } })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/HF_HUB_OFFLINE/),
    })
  })
})

describe('a revision', () => {
  it('that moves brings what has changed; the commit before stays as it was', async () => {
    await fetched()
    const config = '{"model_type":"bert","num_labels":3}'
    hold({ ...FILES, 'config.json': config }, SECOND)
    const moved = repositories[NAME]
    if (moved !== undefined) moved.refs['main'] = SECOND
    hub.requests.length = 0
    const found = await fetched()
    expect(found.commit).toBe(SECOND)
    expect(await readFile(join(found.folder, 'config.json'), 'utf8')).toBe(config)
    expect(hub.requests.map(({ path }) => path).filter((path) => path.includes('resolve'))).toEqual([
      `/${NAME}/resolve/${SECOND}/config.json`,
    ])
    expect(await fetched({ revision: FIRST, change: { offline: true } })).toMatchObject({ commit: FIRST })
  })

  it('that is a commit leaves no ref', async () => {
    await fetched({ revision: FIRST })
    expect(await readdir(repository())).not.toContain('refs')
  })
})

describe('the ONNX file', () => {
  it('brings the files its weights lie in', async () => {
    const weights = randomBytes(3000)
    hold({ 'onnx/model.onnx': onnx('model.onnx_data'), 'onnx/model.onnx_data': weights, 'config.json': '{}' })
    const found = await fetched()
    expect(found.external).toEqual(['onnx/model.onnx_data'])
    expect(await readFile(join(found.folder, 'onnx/model.onnx_data'))).toEqual(weights)
  })

  it('must not keep its weights outside of its folder', async () => {
    hold({ 'model.onnx': onnx('../../../../secret') })
    await expect(fetched()).rejects.toMatchObject({ code: 'BAD_MODEL', message: expect.stringMatching(/outside/) })
  })

  it.each([
    [
      'the usual before the smaller',
      ['onnx/model_quantized.onnx', 'onnx/model.onnx', 'model.onnx'],
      null,
      'onnx/model.onnx',
    ],
    ['half before quantised', ['onnx/model_quantized.onnx', 'onnx/model_fp16.onnx'], null, 'onnx/model_fp16.onnx'],
    ['the root', ['model.onnx', 'other.onnx'], null, 'model.onnx'],
    ['the only one', ['sub/net.onnx'], null, 'sub/net.onnx'],
    [
      'the one that was named',
      ['onnx/model.onnx', 'onnx/model_quantized.onnx'],
      'onnx/model_quantized.onnx',
      'onnx/model_quantized.onnx',
    ],
  ])('is chosen: %s', async (_name, paths, file, expected) => {
    hold(Object.fromEntries(paths.map((path) => [path, GRAPH])))
    expect((await fetched({ file })).onnx).toBe(expected)
  })

  it.each([
    ['none', ['model.safetensors'], null, /optimum-cli/],
    ['several, none of them usual', ['a.onnx', 'b.onnx'], null, /Name one of them: a.onnx, b.onnx/],
    ['another one named', ['onnx/model.onnx'], 'onnx/modell.onnx', /Did you mean "onnx\/model.onnx"/],
  ])('is refused: %s', async (_name, paths, file, message) => {
    hold(Object.fromEntries(paths.map((path) => [path, GRAPH])))
    await expect(fetched({ file })).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: expect.stringMatching(message),
    })
  })
})

describe('what can go wrong on the way', () => {
  it('a connection that breaks three times: every byte is right', async () => {
    hub.cuts.push(10, 2000, 1500)
    const found = await fetched()
    expect(await readFile(join(found.folder, 'tokenizer.json'), 'utf8')).toBe(TOKENIZER)
    expect(await readFile(join(found.folder, 'onnx/model.onnx'))).toEqual(Buffer.from(GRAPH))
  })

  it('a connection that always breaks: said, after a few attempts', async () => {
    hub.cuts.push(...Array.from({ length: 50 }, () => 0))
    await expect(fetched()).rejects.toMatchObject({ code: 'HUB_UNREACHABLE' })
    expect(hub.cuts.length).toBeGreaterThan(40)
  })

  it('what had arrived is kept for the next time', async () => {
    const controller = new AbortController()
    const progress: FetchHooks['progress'] = (_fraction, path) => {
      if (path === 'onnx/model.onnx') controller.abort()
    }
    hold({ 'onnx/model.onnx': GRAPH })
    await expect(fetched({ hooks: { signal: controller.signal, progress } })).rejects.toMatchObject({
      code: 'CANCELLED',
    })
    const [kept] = await filesUnder(join(repository(), 'blobs'))
    expect(kept).toMatch(/^[0-9a-f]{64}\.incomplete$/)
    // As a connection leaves it that broke in the middle.
    await writeFile(join(repository(), 'blobs', kept ?? ''), GRAPH.subarray(0, 1234))
    hub.requests.length = 0
    const found = await fetched()
    expect(await readFile(join(found.folder, 'onnx/model.onnx'))).toEqual(Buffer.from(GRAPH))
    expect(hub.requests.map(({ range }) => range)).toContain('bytes=1234-')
  })

  it('a part that is of something else is thrown away', async () => {
    await fetched()
    const blob = await readlink(join(repository(), 'snapshots', FIRST, 'onnx/model.onnx'))
    await rm(repository(), { recursive: true })
    hold({ 'config.json': '{}' }, SECOND)
    await fetched({ revision: FIRST, file: 'onnx/model.onnx' })
    await rm(join(repository(), 'blobs', blob.split('/').at(-1) ?? ''))
    await writeFile(join(repository(), 'blobs', `${blob.split('/').at(-1) ?? ''}.incomplete`), randomBytes(1234))
    await expect(fetched()).rejects.toMatchObject({ code: 'BAD_MODEL', message: expect.stringMatching(/another hash/) })
    expect(await fetched()).toMatchObject({ commit: FIRST })
  })

  it.each([
    ['too large', 1, /instead of|more than/],
    ['too small', -1, /more than/],
  ])('a listing whose size is %s', async (_name, error, message) => {
    hub.lie = (entry) =>
      entry.lfs === undefined ? entry : { ...entry, lfs: { ...entry.lfs, size: entry.lfs.size + error } }
    await expect(fetched()).rejects.toMatchObject({ code: 'BAD_MODEL', message: expect.stringMatching(message) })
    expect((await filesUnder(join(repository(), 'blobs'))).filter((name) => name.length === 64)).toEqual([])
  })

  it('content that is not what its hash says', async () => {
    hub.lie = (entry) => (entry.lfs === undefined ? entry : { ...entry, lfs: { ...entry.lfs, oid: 'a'.repeat(64) } })
    await expect(fetched()).rejects.toMatchObject({ code: 'BAD_MODEL', message: expect.stringMatching(/another hash/) })
  })

  it('a hash that is a path', async () => {
    hub.lie = (entry) => ({ ...entry, oid: '../../../evil', lfs: { oid: '../../../evil', size: 1, pointerSize: 1 } })
    await expect(fetched()).rejects.toMatchObject({
      code: 'HUB_UNREACHABLE',
      message: expect.stringMatching(/has no hash/),
    })
  })

  it('a file name that leads out of the repository is not there', async () => {
    hub.lie = (entry) => (entry.path === 'config.json' ? { ...entry, path: '../../config.json' } : entry)
    expect((await fetched()).companions['config.json']).toBeUndefined()
    expect(await readdir(root)).toEqual(['cache'])
  })

  it('more bytes than allowed: nothing of it is fetched', async () => {
    await expect(fetched({ change: { maxBytes: 4000 } })).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: expect.stringMatching(/at most/),
    })
    expect(hub.requests.map(({ path }) => path).filter((path) => path.includes('resolve'))).toEqual([])
  })

  it.each([
    ['a name that is not there', { name: 'cats/none', revision: 'main' }],
    ['a revision that is not there', { name: NAME, revision: 'v2' }],
  ])('%s', async (_name, model) => {
    const hooks = { signal: new AbortController().signal, progress: () => undefined }
    await expect(fetchModel(model, null, settings, hooks)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/has no/),
    })
  })

  it('a hub that is not there', async () => {
    await hub.close()
    await expect(fetched()).rejects.toMatchObject({
      code: 'HUB_UNREACHABLE',
      message: expect.stringMatching(/HF_ENDPOINT/),
    })
  })
})

describe('the token', () => {
  beforeEach(() => {
    repositories[NAME] = { commits: { [FIRST]: FILES }, refs: { main: FIRST }, token: 'hf_right' }
  })

  it('opens what is not for everybody', async () => {
    await expect(fetched()).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringMatching(/HF_TOKEN/) })
    await expect(fetched({ change: { token: 'hf_wrong' } })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await fetched({ change: { token: 'hf_right' } })).toMatchObject({ commit: FIRST })
  })
})

describe('another host', () => {
  it('is not asked for the next page of a list', async () => {
    hub.nextPage = 'http://evil.example/api/models?token'
    const asked: string[] = []
    const spy: typeof fetch = (input, init) => {
      asked.push(urlOf(input).host)
      return fetch(input, init)
    }
    await expect(fetched({ hooks: { fetch: spy } })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/evil.example|another host/),
    })
    expect(new Set(asked)).toEqual(new Set([new URL(hub.url).host]))
  })

  it.each(['http://store.example/file', 'https://127.0.0.1:1/file', 'https://localhost/file', 'https://[::1]/file'])(
    'is not followed to %s',
    async (target) => {
      hub.redirectTo = target
      const asked: string[] = []
      const spy: typeof fetch = (input, init) => {
        asked.push(urlOf(input).origin)
        return fetch(input, init)
      }
      await expect(fetched({ hooks: { fetch: spy } })).rejects.toMatchObject({ code: 'BAD_INPUT' })
      expect(new Set(asked)).toEqual(new Set([hub.url]))
    },
  )

  it('is followed to the https store that the hub names, without the token', async () => {
    repositories[NAME] = { commits: { [FIRST]: FILES }, refs: { main: FIRST }, token: 'hf_right' }
    hub.redirectTo = 'https://store.example/blob'
    const seen: { host: string; authorization: string | null; path: string }[] = []
    const contents = [TOKENIZER, GRAPH]
    const store: typeof fetch = (input, init) => {
      const url = urlOf(input)
      seen.push({ host: url.host, authorization: new Headers(init?.headers).get('authorization'), path: url.pathname })
      if (url.host !== 'store.example') return fetch(input, init)
      return Promise.resolve(new Response(Buffer.from(contents.shift() ?? '')))
    }
    await fetched({ change: { token: 'hf_right' }, hooks: { fetch: store } })
    const atStore = seen.filter(({ host }) => host === 'store.example')
    expect(atStore).toHaveLength(2)
    expect(atStore.map(({ authorization }) => authorization)).toEqual([null, null])
    expect(
      seen
        .filter(({ host }) => host !== 'store.example')
        .every(({ authorization }) => authorization === 'Bearer hf_right'),
    ).toBe(true)
  })

  it('is not followed when the store redirects in turn', async () => {
    hub.redirectTo = 'https://store.example/blob'
    const store: typeof fetch = (input, init) =>
      urlOf(input).host === 'store.example'
        ? Promise.resolve(new Response(null, { status: 302, headers: { location: 'https://elsewhere.example/blob' } }))
        : fetch(input, init)
    await expect(fetched({ hooks: { fetch: store } })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/elsewhere/),
    })
  })
})
