/** Import by name through the API, against a hub on loopback. */
import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hubSettings } from '../../server/hub-settings.ts'
import { startFakeHub, type FakeHub } from '../helpers/fake-hub.ts'
import { tinyBert, tinyResNet } from '../helpers/model-files.ts'
import { startTestServer, temporaryFolder, type TestServer } from '../helpers/server.ts'

const COMMIT = '3'.repeat(40)
const run = promisify(execFile)

interface Imported {
  readonly id: string
  readonly status: string
  readonly progress: number
  readonly doing: string
  readonly commit: string | null
  readonly error: { readonly code: string; readonly message: string } | null
  readonly problems: readonly string[]
  readonly inputs: readonly string[]
  readonly guesses: readonly { readonly field: string }[]
  readonly models: readonly {
    readonly id: string
    readonly labels: readonly string[]
    readonly defaultTap: string
    readonly methods: readonly { readonly available: boolean; readonly reason: string | null }[]
  }[]
}

const STATE = 'id status progress doing commit error { code message } problems inputs guesses { field }'
const PARTS = `${STATE} models { id labels defaultTap methods { available reason } }`

let hub: FakeHub
let server: TestServer
let cache: string
beforeAll(async () => {
  const bert = await tinyBert()
  const withoutTokenizer = Object.fromEntries(Object.entries(bert).filter(([path]) => path !== 'tokenizer.json'))
  const whisper = { 'config.json': '{"architectures":["WhisperForConditionalGeneration"]}' }
  const of = (files: Record<string, Uint8Array | string>) => ({ commits: { [COMMIT]: files }, refs: { main: COMMIT } })
  hub = await startFakeHub({
    'org/tiny-bert': of(await tinyBert()),
    'org/tiny-resnet': of(await tinyResNet()),
    'org/no-tokenizer': of(withoutTokenizer),
    'org/speech': of({ ...(await tinyResNet()), ...whisper }),
  })
  cache = await temporaryFolder()
  server = await startTestServer({
    hub: { ...hubSettings({}, cache), endpoint: hub.url, cacheFolder: join(cache, 'hub') },
  })
})
afterAll(async () => {
  await server.remove()
  await hub.close()
})

async function watched(id: string): Promise<Imported[]> {
  const { createClient } = await import('graphql-ws')
  const { WebSocket } = await import('ws')
  const client = createClient({ url: `${server.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket })
  const states: Imported[] = []
  const query = `subscription($id: ID!) { importUpdated(id: $id) { ${STATE} } }`
  for await (const { data, errors } of client.iterate<{ importUpdated: Imported }>({ query, variables: { id } })) {
    if (errors !== undefined) throw new Error(JSON.stringify(errors))
    if (data) states.push(data.importUpdated)
  }
  await client.dispose()
  return states
}

async function ask(name: string): Promise<string> {
  const { importModel } = await server.data<{ importModel: Imported }>(
    'mutation($name: String!) { importModel(name: $name) { id status } }',
    { name },
  )
  return importModel.id
}

async function imported(name: string): Promise<{ last: Imported; states: Imported[] }> {
  const id = await ask(name)
  const states = await watched(id)
  const { modelImport } = await server.data<{ modelImport: Imported }>(
    `query($id: ID!) { modelImport(id: $id) { ${PARTS} } }`,
    { id },
  )
  return { last: modelImport, states }
}

describe('a model that is imported by name', () => {
  it('is offered, was tried, and says what can be asked of it; then it explains', async () => {
    const { last, states } = await imported('org/tiny-bert')
    expect(last).toMatchObject({
      status: 'DONE',
      progress: 1,
      doing: '',
      commit: COMMIT,
      error: null,
      problems: [],
      guesses: [],
    })
    expect(last.models).toEqual([
      expect.objectContaining({ id: 'org-tiny-bert', labels: ['awful', 'bad', 'fair', 'good', 'great'] }),
    ])
    expect(last.models[0]?.methods.some(({ available }) => available)).toBe(true)
    expect(last.inputs.join(' ')).toContain('input_ids')
    const shares = states.map(({ progress }) => progress)
    expect(shares).toEqual([...shares].sort((a, b) => a - b))
    expect(states.at(-1)?.status).toBe('DONE')

    const { explain } = await server.data<{
      explain: { status: string; predictions: { label: string }[]; attribution: { words: { text: string }[] } }
    }>(
      `mutation { explain(input: { model: "org-tiny-bert", method: "gradient-norm", text: "a funny film" }, waitMs: 60000) {
        status predictions { label } attribution { ... on TextAttribution { words { text score } } } } }`,
    )
    expect(explain.status).toBe('DONE')
    expect(explain.predictions).toHaveLength(5)
    expect(explain.attribution.words.map(({ text }) => text)).toEqual(expect.arrayContaining(['a', 'funny', 'film']))
  })

  it('reads pictures too, and comes in by a commit', async () => {
    const { last } = await imported(`org/tiny-resnet@${COMMIT}`)
    expect(last).toMatchObject({ status: 'DONE', problems: [] })
    expect(last.models.map(({ id }) => id)).toEqual(['org-tiny-resnet'])
  })

  it('is there for another server without the network', async () => {
    const asked = hub.requests.length
    const next = await startTestServer({ modelsFolder: join(server.folder, 'models') })
    const { models } = await next.data<{ models: { id: string }[] }>('{ models { id } }')
    expect(models.map(({ id }) => id)).toContain('org-tiny-bert')
    expect(hub.requests.length).toBe(asked)
    await next.remove()
  })
})

describe('what goes wrong is in the import', () => {
  it.each([
    ['org/none', 'NOT_FOUND', /has no/],
    ['org/tiny-bert@v9', 'NOT_FOUND', /v9/],
    ['org/no-tokenizer', 'BAD_MODEL', /save_pretrained/],
    ['org/speech', 'BAD_MODEL', /writes text/],
  ])('%s', async (name, code, message) => {
    const { last } = await imported(name)
    expect(last).toMatchObject({
      status: 'FAILED',
      models: [],
      error: { code, message: expect.stringMatching(message) },
    })
  })

  it('but a name that is none is refused at once', async () => {
    const { errors } = await server.graphql('mutation { importModel(name: "../x") { id } }')
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'BAD_INPUT' } })
  })

  it('one that is cancelled ends, and leaves no folder', async () => {
    hub.cuts.push(...Array.from({ length: 4 }, () => 1))
    const id = await ask('org/tiny-resnet')
    const { cancelImport } = await server.data<{ cancelImport: Imported }>(
      'mutation($id: ID!) { cancelImport(id: $id) { status } }',
      { id },
    )
    expect(cancelImport.status).toBe('CANCELLED')
    expect((await watched(id)).at(-1)?.status).toBe('CANCELLED')
    const names = await readdir(join(server.folder, 'models'))
    expect(names.filter((name) => name.startsWith('.'))).toEqual([])
  })
})

describe('npm run import', () => {
  const script = resolve(import.meta.dirname, '../../bin/import.ts')
  const importing = async (args: readonly string[], env: Record<string, string> = {}) => {
    const settings = { HF_ENDPOINT: hub.url, HF_HUB_CACHE: join(cache, 'cli'), HF_HUB_OFFLINE: '', HF_TOKEN: '' }
    const options = { env: { ...process.env, ...settings, ...env } }
    return run(process.execPath, ['--import', 'tsx', script, ...args], options).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: unknown) => error as { code: number; stdout: string; stderr: string },
    )
  }

  it('brings a model by name, and again from the cache alone', async () => {
    const models = join(cache, 'own')
    const first = await importing(['org/tiny-resnet', '--models', models])
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/7 classes: ant, bee/) })
    const again = await importing(['org/tiny-resnet', '--models', models, '--no-try'], {
      HF_HUB_OFFLINE: '1',
      HF_ENDPOINT: 'http://127.0.0.1:9',
    })
    expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/from the cache/) })
    expect(await readdir(models)).toEqual(['org-tiny-resnet'])
  })

  it('says what is wrong, by its exit code too', async () => {
    expect(await importing([])).toMatchObject({ code: 2, stderr: expect.stringContaining('npm run import') })
    expect(await importing(['--nothing'])).toMatchObject({ code: 2 })
    expect(await importing(['org/none', '--models', join(cache, 'own')])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/has no/),
    })
  })
})
