import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')

/** A clone with nothing installed: the set-up, once begun, would take minutes here or fail. */
let clone = ''
beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'limelight-clone-'))
  cpSync(join(ROOT, 'bin'), join(clone, 'bin'), { recursive: true })
  mkdirSync(join(clone, 'server'))
  cpSync(join(ROOT, 'server/before-setup.mjs'), join(clone, 'server/before-setup.mjs'))
  writeFileSync(join(clone, 'file'), '')
})
afterAll(() => {
  rmSync(clone, { recursive: true })
})

/** `npm start -- ...`; the set-up cannot get anywhere, since there is no npm on the way to it. */
async function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(clone, 'bin/start.mjs'), ...args], {
    env: { NODE_ENV: 'test', PATH: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

describe('npm start in a fresh clone says before anything is installed', () => {
  test('that its port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const { code, stdout, stderr } = await start(['--port', String(port)])
    other.close()
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(new RegExp(`^limelight: port ${port} on 127.0.0.1 is in use, .*--port\\.\\n$`))
  })

  test.each([
    ['a data folder that cannot be', () => ['--data', join(clone, 'file', 'data')], /data folder .* cannot be written/],
    ['a folder of models that is not there', () => ['--models', join(clone, 'nowhere')], /no folder .*--models/],
    ['a port that is none', () => ['--port', 'http'], /--port is "http"/],
    ['an option that is none', () => ['--prot', '1'], /--prot.*--help/],
  ])('what is wrong with %s', async (_name, args, says) => {
    const { code, stdout, stderr } = await start(args(), { PORT: '0' })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(says)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  test('what the options are', async () => {
    const { code, stdout, stderr } = await start(['--help'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/--models <folder>/)
  })

  test('nothing, when nothing stands in the way: then the set-up begins', async () => {
    const { stdout } = await start(['--port', '0'])
    expect(stdout).toMatch(/^Installing dependencies/)
  })
})
