/** The product as `npm start` runs it, built, on a free port with an empty data folder. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const READY = /Limelight is ready: (http:\/\/\S+)/

export interface ServerUnderTest {
  /** For example http://127.0.0.1:40123 */
  readonly origin: string
  /** Where its user puts models. */
  readonly models: string
  /** Everything it has said so far, to stdout and stderr. */
  said(): string
  stop(): Promise<void>
}

/** @throws Error with everything the server said, where it ends before it is ready */
export async function startServer(): Promise<ServerUnderTest> {
  const data = await mkdtemp(join(tmpdir(), 'limelight-e2e-'))
  const server = spawn(process.execPath, [join('dist', 'main.js'), '--port', '0', '--data', data], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<void>((resolve) => {
    server.once('exit', () => {
      resolve()
    })
  })
  let said = ''
  const origin = await new Promise<string>((resolve, reject) => {
    const listen = (chunk: Buffer) => {
      said += chunk.toString()
      const ready = READY.exec(said)
      if (ready?.[1]) resolve(ready[1])
    }
    server.stdout.on('data', listen)
    server.stderr.on('data', listen)
    server.once('error', reject)
    server.once('exit', (code) => {
      reject(new Error(`The server ended with ${String(code)} before it was ready:\n${said}`))
    })
  })
  return {
    origin,
    models: join(data, 'models'),
    said: () => said,
    async stop() {
      server.kill('SIGTERM')
      await ended
      await rm(data, { recursive: true, force: true })
    },
  }
}
