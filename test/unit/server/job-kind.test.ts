/**
 * A kind of job added from the outside: its own file (helpers/toy-kind.ts) and one more name in the worker's list
 * (helpers/toy-worker.ts). Protocol, serve, worker process, pool and queue are the real ones and know nothing of it.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { classTarget } from '../../../lib/target/target.ts'
import { LocalNews } from '../../../server/jobs/job-news.ts'
import type { JobStore } from '../../../server/jobs/job-store.ts'
import { describeKind } from '../../../server/jobs/kinds/describe.ts'
import { explainKind, type ExplainPayload } from '../../../server/jobs/kinds/explain.ts'
import { tryModelKind } from '../../../server/jobs/kinds/try-model.ts'
import { createQueue } from '../../../server/jobs/queue.ts'
import { workerArguments } from '../../../server/jobs/worker-parts.ts'
import { WorkerPool } from '../../../server/jobs/worker-pool.ts'
import { createLogger } from '../../../server/logger.ts'
import { WORKER } from '../../../server/paths.ts'
import { AssetFiles } from '../../../server/storage/asset-files.ts'
import { toyKind } from '../../helpers/toy-kind.ts'

const log = createLogger('silent')
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const ASSETS = ['first', 'second'].map((text) => Buffer.from(text))
const [FIRST = '', SECOND = ''] = ASSETS.map(hashOf)
const NOWHERE = '0'.repeat(64)

let folder: string
let pool: WorkerPool
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limelight-kinds-'))
  const files = new AssetFiles(folder)
  for (const bytes of ASSETS) await files.write(hashOf(bytes), bytes, bytes)
  pool = new WorkerPool({
    entry: fileURLToPath(new URL('../../helpers/toy-worker.ts', import.meta.url)),
    args: workerArguments({ data: folder, models: [resolve('models')] }),
    execArgv: WORKER.execArgv,
    size: 2,
    log,
  })
})
afterAll(async () => {
  await pool.close()
  await rm(folder, { recursive: true, force: true })
})

const hooks = () => ({ signal: new AbortController().signal, progress: () => undefined })
const count = (asset: string, lie = false) => pool.run(toyKind, { id: asset, payload: { asset, lie } }, hooks())

describe('a kind of job from the outside', () => {
  test('goes from the queue through a real worker into its own rows, with its progress', async () => {
    const payloads = new Map(Object.entries({ a: FIRST, b: SECOND, missing: NOWHERE }))
    const ended = new Map<string, unknown>()
    const store: JobStore = {
      kind: toyKind,
      recover: () => Promise.resolve({ queued: [], failed: 0 }),
      begin: (id) => Promise.resolve({ payload: { asset: payloads.get(id), lie: false }, attempt: 1 }),
      complete: (id, outcome) => Promise.resolve(void ended.set(id, outcome)),
      fail: (id, error) => Promise.resolve(void ended.set(id, error.userMessage)),
      requeue: () => Promise.resolve(),
    }
    const news = new LocalNews()
    const queue = createQueue({ stores: [store], pool, news, log })
    const watches = [...payloads.keys()].map((id) => ({ id, watch: news.watch(id) }))
    const seen: (number | undefined)[] = []
    for (const { id } of watches) queue.enqueue({ id, kind: toyKind.id, weight: 'light' })
    for (const { id, watch } of watches)
      while (!ended.has(id) && (await watch.changed())) seen.push((await news.progress(['a', 'b'])).get(id))
    await queue.close()
    expect(seen).toContain(0.25)
    const { counts } = ended.get('a') as { counts: Uint32Array }
    expect([counts.length, counts['t'.charCodeAt(0)], counts['z'.charCodeAt(0)]]).toEqual([256, 1, 0])
    expect(ended.get('b')).toMatchObject({ pid: expect.any(Number) as number })
    expect(ended.get('missing')).toMatch(/^The file of picture 0+ is missing/)
    expect(await news.progress(['a', 'b', 'missing'])).toEqual(new Map())
  })

  test('is checked where it arrives: the payload in the worker, the outcome in the server, by the field', async () => {
    await expect(
      pool.run(toyKind, { id: 'x', payload: { asset: 'photo.jpg', lie: false } }, hooks()),
    ).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/^The histogram job is not as it should be: asset: expected a sha256/) as unknown,
    })
    await expect(count(FIRST, true)).rejects.toMatchObject({
      code: 'BAD_RESULT',
      message: expect.stringMatching(/^What the worker answered to the histogram job .*: pid: .*int/) as unknown,
    })
  })

  test('that the worker does not know is refused with those it does', async () => {
    await expect(
      pool.run({ ...toyKind, id: 'telepathy' }, { id: 'x', payload: { asset: FIRST, lie: false } }, hooks()),
    ).rejects.toThrow(/describe, explain, evaluate, statistics, histogram.*telepathy/)
  })

  test('goes to the worker that has what it uses', async () => {
    const [one, two] = await Promise.all([count(FIRST), count(SECOND)])
    expect(one.pid).not.toBe(two.pid)
    for (const [asset, { pid }] of [
      [SECOND, two],
      [FIRST, one],
      [FIRST, one],
      [SECOND, two],
    ] as const)
      expect((await count(asset)).pid).toBe(pid)
  })
})

describe('what a job names by its content', () => {
  const explain = (change: Partial<ExplainPayload>) =>
    pool.run(
      explainKind,
      {
        id: 'run',
        payload: {
          model: `pets-cnn@${NOWHERE}`,
          method: { id: 'grad-cam', version: 1 },
          params: {},
          target: classTarget(null),
          seed: 0,
          input: { kind: 'image', asset: FIRST },
          ...change,
        },
      },
      hooks(),
    )

  test('a model that has changed or gone', async () => {
    const gone = {
      code: 'UNKNOWN_MODEL',
      userMessage: 'The model pets-cnn has changed or gone since this was asked for. Ask again.',
    }
    await expect(explain({})).rejects.toMatchObject(gone)
    const asked = { id: 'look', payload: { model: `pets-cnn@${NOWHERE}` } }
    await expect(pool.run(describeKind, asked, hooks())).rejects.toMatchObject(gone)
  })

  test('a path or a bare name where a hash is meant, by the field', async () => {
    const refused = (field: string) => ({
      code: 'BAD_INPUT',
      message: expect.stringMatching(new RegExp(`job is not as it should be: ${field}: expected `)) as unknown,
    })
    for (const asset of ['/tmp/photo.jpg', `/tmp/${FIRST}`, FIRST.toUpperCase(), ''])
      await expect(explain({ input: { kind: 'image', asset } })).rejects.toMatchObject(refused('input.asset'))
    for (const model of ['pets-cnn', '/models/pets-cnn', 'pets-cnn@latest', `../pets-cnn@${NOWHERE}`]) {
      await expect(explain({ model })).rejects.toMatchObject(refused('model'))
      const look = { id: 'look', payload: { model } }
      await expect(pool.run(describeKind, look, hooks())).rejects.toMatchObject(refused('model'))
      await expect(pool.run(tryModelKind, look, hooks())).rejects.toMatchObject(refused('model'))
    }
  })

  test('a method whose numbers have changed', async () => {
    await expect(explain({ method: { id: 'grad-cam', version: 0 } })).rejects.toThrow(
      /grad-cam is at version \d+, and this run was asked for at version 0/,
    )
    // One of the other modality is another method.
    await expect(explain({ input: { kind: 'text', text: 'cat' } })).rejects.toThrow(
      /no method grad-cam for text models/,
    )
  })
})
