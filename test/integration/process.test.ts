/** The server as a process: what it says when it cannot start, how it ends, what a crash leaves behind. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EXPLAIN, textInput, type Explained } from '../helpers/requests.ts'
import { postGraphQL, SLOW_WORKER, startTestServer, temporaryFolder } from '../helpers/server.ts'
import { untilRun } from '../helpers/wait-for-run.ts'

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url))
const SLOW_SERVER = fileURLToPath(new URL('../helpers/slow-server.ts', import.meta.url))

interface Started {
  readonly child: ChildProcess
  readonly errors: () => string
  readonly output: () => string
  /** The first line on stdout. */
  readonly line: Promise<string>
  /** Once the process and all that share its output have gone: its workers too. */
  readonly gone: Promise<number | NodeJS.Signals | null>
}

function launch(file: string, args: readonly string[], env: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  let output = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const line = new Promise<string>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes('\n')) resolve(output.slice(0, output.indexOf('\n')))
    })
  })
  const gone = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals | null)
  return { child, errors: () => errors, output: () => output, line, gone }
}

describe('the server process', () => {
  let folder: string
  beforeEach(async () => {
    folder = await temporaryFolder()
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('prints one line with its address, answers, and ends cleanly on Ctrl-C', async () => {
    const server = launch(MAIN, ['--api-only', '--port', '0', '--data', join(folder, 'data')])
    const line = await server.line
    expect(line).toMatch(/^Limelight is ready: http:\/\/127\.0\.0\.1:\d+$/)
    const url = line.slice(line.indexOf('http'))
    expect((await postGraphQL(url, '{ models { id } }')).errors).toBeUndefined()
    server.child.kill('SIGINT')
    expect(await server.gone).toBe(0)
    expect(server.output()).toBe(`${line}\n`)
  })

  it('says in one line that its port is in use', async () => {
    const other = createServer()
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const server = launch(MAIN, ['--api-only', '--data', folder], { PORT: String(port) })
    expect(await server.gone).toBe(1)
    expect(server.errors()).toMatch(new RegExp(`^limelight: port ${port} .*--port.*\\n$`))
    other.close()
  })

  it.each([
    ['a data folder that cannot be', (path: string) => ['--data', join(path, 'file', 'data')], /cannot be written/],
    ['a port that is none', () => ['--port', 'http'], /--port is "http"/],
    ['an option that is none', () => ['--prot', '1'], /--prot/],
  ])('says in one line what is wrong with %s', async (_name, args, says) => {
    await writeFile(join(folder, 'file'), '')
    const server = launch(MAIN, ['--api-only', ...args(folder)])
    expect(await server.gone).toBe(1)
    expect(server.errors()).toMatch(says)
    expect(server.errors().trim().split('\n')).toHaveLength(1)
  })

  it('killed in the middle of a run leaves no worker, and the next start computes the run', async () => {
    const gate = join(folder, 'gate')
    const killed = launch(SLOW_SERVER, [folder], { LIMELIGHT_TEST_GATE: gate })
    const url = await killed.line
    const { data } = await postGraphQL(url, EXPLAIN, { input: textInput('interrupted'), waitMs: 0 })
    const { id } = (data as unknown as Explained).explain
    // Another question about the same run answers when it is in the middle.
    for (let status = ''; status !== 'RUNNING';) {
      const answer = await postGraphQL(url, EXPLAIN, { input: textInput('interrupted'), waitMs: 20 })
      status = (answer.data as unknown as Explained).explain.status
    }
    killed.child.kill('SIGKILL')
    expect(await killed.gone).toBe('SIGKILL')

    await writeFile(gate, '')
    const next = await startTestServer({
      dataFolder: folder,
      workerEntry: SLOW_WORKER,
      workerEnv: { ...process.env, LIMELIGHT_TEST_GATE: gate },
    })
    const done = await untilRun(next, id, ({ status }) => status === 'DONE')
    expect(done).toMatchObject({ attempts: 2 })
    expect(await next.rows()).toMatchObject({ run: 1, result: 1 })
    expect(await next.parts.prisma.$queryRaw`PRAGMA integrity_check`).toEqual([{ integrity_check: 'ok' }])
    await next.stop()
  })

  it('that was killed too often with a run fails it with a reason', async () => {
    const first = await startTestServer({ dataFolder: folder })
    const { prisma } = first.parts
    const { explain } = await first.data<Explained>(EXPLAIN, { input: textInput('fatal') })
    await prisma.result.delete({ where: { runId: explain.id } })
    await prisma.run.update({ where: { id: explain.id }, data: { status: 'RUNNING', attempts: 2 } })
    await first.stop()
    const second = await startTestServer({ dataFolder: folder })
    const { run } = await second.data<{ run: { status: string; error: { code: string; message: string } } }>(
      'query ($id: ID!) { run(id: $id) { status error { code message } } }',
      { id: explain.id },
    )
    expect(run).toMatchObject({ status: 'FAILED', error: { code: 'WORKER_LOST' } })
    expect(run.error.message).toMatch(/2 times.*Ask for it again/)
    await second.stop()
  })
})
