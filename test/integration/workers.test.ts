/** What happens while a run is being computed: progress, cancelling, workers that die. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from 'graphql-ws'
import { afterEach, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { EXPLAIN, textInput, type Explained } from '../helpers/requests.ts'
import { SLOW_WORKER, startTestServer, temporaryFolder, type TestServer } from '../helpers/server.ts'
import { untilInTheMiddle, untilRun } from '../helpers/wait-for-run.ts'

describe('a run in the middle', () => {
  let server: TestServer
  let gate: string

  async function startSlow(more: { stubborn?: boolean; workers?: number } = {}): Promise<void> {
    const dataFolder = await temporaryFolder()
    gate = join(dataFolder, 'gate')
    server = await startTestServer({
      dataFolder,
      workers: more.workers ?? 1,
      workerEntry: SLOW_WORKER,
      workerEnv: {
        ...process.env,
        LIMELIGHT_TEST_GATE: gate,
        LIMELIGHT_TEST_STUBBORN: more.stubborn === true ? '1' : '0',
      },
    })
  }
  afterEach(() => server.remove())

  const open = () => writeFile(gate, '')
  const ask = async (text: string, waitMs = 0) =>
    (await server.data<Explained>(EXPLAIN, { input: textInput(text), waitMs })).explain
  const cancel = async (id: string) =>
    (
      await server.data<{ cancelRun: { status: string } }>('mutation ($id: ID!) { cancelRun(id: $id) { status } }', {
        id,
      })
    ).cancelRun.status
  const subscribe = (id: string) =>
    createClient({
      url: `${server.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    }).iterate<{
      runUpdated: { status: string; progress: number }
    }>({ query: 'subscription ($id: ID!) { runUpdated(id: $id) { status progress } }', variables: { id } })

  it('is answered at once, or after waitMs with what is known then', async () => {
    await startSlow()
    expect((await ask('now')).status).toBe('QUEUED')
    expect(['QUEUED', 'RUNNING']).toContain((await ask('now', 50)).status)
    await open()
    expect((await ask('now', 60_000)).status).toBe('DONE')
    const { errors } = await server.graphql(EXPLAIN, { input: textInput('now'), waitMs: -1 })
    expect(errors?.[0]?.extensions.code).toBe('BAD_INPUT')
  })

  it('tells its subscribers of every change, and then that it has ended', async () => {
    await startSlow()
    const { id } = await ask('news')
    const seen: string[] = []
    for await (const { data } of subscribe(id)) {
      const { status, progress } = data?.runUpdated ?? { status: '', progress: -1 }
      seen.push(`${status} ${progress}`)
      if (status === 'RUNNING' && progress === 0.5) await open()
    }
    expect(seen).toContain('RUNNING 0.5')
    expect(seen.at(-1)).toBe('DONE 1')
    // A run that has ended is told once.
    const after: string[] = []
    for await (const { data } of subscribe(id)) after.push(data?.runUpdated.status ?? '')
    expect(after).toEqual(['DONE'])
  })

  it('that is not there cannot be subscribed to', async () => {
    await startSlow()
    const results: unknown[] = []
    for await (const result of subscribe('nothing')) results.push(result)
    expect(results).toMatchObject([{ errors: [{ extensions: { code: 'NOT_FOUND' } }] }])
  })

  it('stops when it is cancelled, and runs again when it is asked for again', async () => {
    await startSlow()
    const { id } = await ask('stop')
    const pid = await untilInTheMiddle(server, id)
    expect(await cancel(id)).toBe('CANCELLED')
    expect(await cancel(id)).toBe('CANCELLED')
    await open()
    const again = await ask('stop', 60_000)
    expect(again).toMatchObject({ id, status: 'DONE' })
    expect(await cancel(id)).toBe('DONE')
    // The worker listened; it did not have to be ended.
    expect(server.pool.status().replaced).toBe(0)
    expect(pid).toBeGreaterThan(0)
  })

  it('stops even when the worker does not listen', async () => {
    await startSlow({ stubborn: true })
    const { id } = await ask('stuck')
    const pid = await untilInTheMiddle(server, id)
    await cancel(id)
    const other = await ask('next')
    const otherPid = await untilInTheMiddle(server, other.id)
    expect(otherPid).not.toBe(pid)
    await open()
    expect((await ask('next', 60_000)).status).toBe('DONE')
  })

  it('that waits in the queue can be cancelled and deleted', async () => {
    await startSlow()
    const first = await ask('first')
    await untilInTheMiddle(server, first.id)
    const second = await ask('second')
    const third = await ask('third')
    expect(second.status).toBe('QUEUED')
    expect(await cancel(second.id)).toBe('CANCELLED')
    await server.data('mutation ($id: ID!) { deleteRun(id: $id) }', { id: third.id })
    await open()
    expect((await ask('first', 60_000)).status).toBe('DONE')
    const { prisma } = server.parts
    expect(await prisma.run.findMany({ select: { status: true }, orderBy: { createdAt: 'asc' } })).toEqual([
      { status: 'DONE' },
      { status: 'CANCELLED' },
    ])
  })

  it('is deleted while it is computed, and leaves nothing behind', async () => {
    await startSlow()
    const { id } = await ask('gone')
    await untilInTheMiddle(server, id)
    await server.data('mutation ($id: ID!) { deleteRun(id: $id) }', { id })
    await open()
    expect((await ask('other', 60_000)).status).toBe('DONE')
    expect(await server.rows()).toMatchObject({ run: 1, result: 1 })
  })

  it('is tried once more when its worker is killed', async () => {
    await startSlow()
    const { id } = await ask('unlucky')
    const pid = await untilInTheMiddle(server, id)
    process.kill(pid, 'SIGKILL')
    const second = await untilInTheMiddle(server, id, 2)
    expect(second).not.toBe(pid)
    await open()
    expect((await untilRun(server, id, ({ status }) => status === 'DONE')).attempts).toBe(2)
    expect(server.pool.status()).toMatchObject({ size: 1, alive: 1, replaced: 1 })
  })

  it('fails with a reason when its worker is killed twice, and the next run is computed', async () => {
    await startSlow()
    const { id } = await ask('cursed')
    process.kill(await untilInTheMiddle(server, id, 1), 'SIGKILL')
    process.kill(await untilInTheMiddle(server, id, 2), 'SIGKILL')
    const failed = await untilRun(server, id, ({ status }) => status === 'FAILED')
    expect(failed).toMatchObject({ errorCode: 'WORKER_LOST', attempts: 2 })
    expect(failed.errorMessage).toMatch(/ended unexpectedly \(SIGKILL\).*Try again/)
    await open()
    expect((await ask('next', 60_000)).status).toBe('DONE')
    expect((await ask('cursed', 60_000)).status).toBe('DONE')
  })

  it('shares the workers: two at a time with two, the third after them', async () => {
    await startSlow({ workers: 2 })
    const [a, b, c] = [await ask('a'), await ask('b'), await ask('c')]
    const pids = [await untilInTheMiddle(server, a.id), await untilInTheMiddle(server, b.id)]
    expect(new Set(pids).size).toBe(2)
    expect(server.pool.pidOf(c.id)).toBeUndefined()
    expect(server.pool.status()).toMatchObject({ size: 2, busy: 2 })
    await open()
    expect((await ask('c', 60_000)).status).toBe('DONE')
  })

  it('is queued again when the server stops, without counting against it', async () => {
    await startSlow()
    const { id } = await ask('later')
    await untilInTheMiddle(server, id)
    const { dataFolder } = { dataFolder: server.folder }
    await server.stop()
    await open()
    const again = await startTestServer({
      dataFolder,
      workerEntry: SLOW_WORKER,
      workerEnv: { ...process.env, LIMELIGHT_TEST_GATE: gate },
    })
    server = again
    const done = await untilRun(again, id, ({ status }) => status === 'DONE')
    expect(done.attempts).toBe(1)
  })
})
