import { spawnSync } from 'node:child_process'
import { mkdtempSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

/** Runs `checkNode` as an old or new Node would, in a process of its own, since it ends the process. */
function checkNode(version: string): { status: number | null; stderr: string } {
  const script = `import('./bin/setup.mjs').then(({ checkNode }) => checkNode('${version}'))`
  const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  return { status, stderr }
}

describe('the oldest Node that npm start accepts', () => {
  test.each(['20.19.0', '20.20.2', '22.0.0', '26.1.0'])('%s is taken', (version) => {
    expect(checkNode(version)).toEqual({ status: 0, stderr: '' })
  })

  test.each(['20.18.3', '18.20.0', '9.0.0'])('%s is refused in one line that says what to do', (version) => {
    const { status, stderr } = checkNode(version)
    expect(status).toBe(1)
    expect(stderr).toBe(`limelight: Node ${version} is too old; install Node 20.19 or later and run this again.\n`)
  })
})

test('a node_modules that is a link is not installed into', () => {
  const folder = mkdtempSync(join(tmpdir(), 'limelight-setup-'))
  try {
    const [others, own, link] = ['others', 'own', 'link'].map((name) => join(folder, name)) as [string, string, string]
    mkdirSync(others)
    mkdirSync(own)
    symlinkSync(others, link, 'junction')
    const check = (modules: string) => {
      const script = `import('./bin/setup.mjs').then(({ checkOwn }) => checkOwn(${JSON.stringify(modules)}))`
      return spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
    }
    expect(check(own)).toMatchObject({ status: 0, stderr: '' })
    expect(check(join(folder, 'none'))).toMatchObject({ status: 0, stderr: '' })
    const refused = check(link)
    expect(refused.status).toBe(1)
    expect(refused.stderr).toContain(`node_modules is a link to ${others}, and installing would empty that folder.`)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
