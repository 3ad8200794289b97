// Runs a TypeScript script of this repository (`npm run evaluate`, `npm run bench`), setting up first.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ROOT, setUp, toolEnvironment } from './setup.mjs'

const [script, ...rest] = process.argv.slice(2)
await setUp(['install'])
const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, script), ...rest], {
  cwd: ROOT,
  env: toolEnvironment(),
  stdio: 'inherit',
})
child.on('close', (code) => process.exit(code ?? 1))
