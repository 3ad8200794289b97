import { spawnSync } from 'node:child_process'
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
