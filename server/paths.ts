/** Where things lie, whether this runs from the sources or from the bundle in dist/. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The nearest folder above this file that has a package.json. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

export const ROOT = packageRoot()
export const MODELS = join(ROOT, 'models')
export const MIGRATIONS = join(ROOT, 'prisma', 'migrations')

/** The bundle needs no loader for TypeScript; the sources do. */
const bundled = !import.meta.url.endsWith('.ts')

export interface WorkerProgram {
  readonly entry: string
  readonly execArgv: readonly string[]
}

export const WORKER: WorkerProgram = bundled
  ? { entry: join(ROOT, 'dist', 'worker.js'), execArgv: ['--enable-source-maps'] }
  : { entry: join(ROOT, 'server', 'jobs', 'worker.ts'), execArgv: ['--import', import.meta.resolve('tsx')] }
