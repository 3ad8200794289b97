/**
 * Server and worker load the same kinds of job and share little else: the server never loads what computes, the worker
 * never what stores. Held on the modules that each loads at its start, as the bundler sees them.
 */
import { resolve } from 'node:path'
import { build, type Metafile } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../../..')

/** The modules a file loads with its static imports, and theirs; with `all` also those it may import later. */
function loadedBy(entry: string, { inputs }: Metafile, all = false): string[] {
  const seen = new Set<string>()
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    for (const { path: next, kind } of inputs[path]?.imports ?? []) if (all || kind !== 'dynamic-import') visit(next)
  }
  visit(entry)
  return [...seen]
}

describe('what a process loads', () => {
  let metafile: Metafile
  beforeAll(async () => {
    const entryPoints = ['server/main.ts', 'server/jobs/worker.ts', 'server/jobs/kinds/index.ts']
    const built = await build({
      absWorkingDir: ROOT,
      entryPoints,
      outdir: 'unused',
      write: false,
      bundle: true,
      metafile: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      logLevel: 'silent',
    })
    metafile = built.metafile
  })

  test('the server and the kinds of job: no engine and no picture library', () => {
    const computes =
      /^(onnxruntime-node|@tensorflow\/|sharp|tokenizers|@xenova\/)|^lib\/(engine\/(onnx|tfjs)\/load|image\/decode)/
    expect(loadedBy('server/main.ts', metafile).filter((path) => computes.test(path))).toEqual([])
    expect(loadedBy('server/jobs/kinds/index.ts', metafile).filter((path) => computes.test(path))).toEqual([])
    // The pattern finds them where they are.
    expect(loadedBy('server/jobs/worker.ts', metafile, true).filter((path) => computes.test(path))).not.toEqual([])
  })

  test('the worker: no database, not even later', () => {
    const stores = /^(prisma\/|@prisma\/|@libsql\/|express|server\/(services|database|schema|http)\/)/
    expect(loadedBy('server/jobs/worker.ts', metafile, true).filter((path) => stores.test(path))).toEqual([])
    expect(loadedBy('server/main.ts', metafile).filter((path) => stores.test(path))).not.toEqual([])
  })
})
