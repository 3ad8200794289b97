/**
 * Bundles server and worker into dist/, so that a start reads a few files instead of a thousand: `npx tsx server/build.ts`.
 * Whatever holds native code, its own data files or its own way of loading itself stays outside.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { ROOT } from './paths.ts'

const OUTSIDE = [
  'next',
  'sharp',
  'libsql',
  'onnxruntime-node',
  'tokenizers',
  '@huggingface/hub',
  '@tensorflow/*',
  '@graphql-yoga/render-graphiql',
  'esbuild',
  'tsx',
]

/** Packages in CommonJS call `require`, which an ES module does not have by itself. */
const REQUIRE =
  "import { createRequire as limelightRequire } from 'node:module'; const require = limelightRequire(import.meta.url);"

export async function buildServer(): Promise<void> {
  const outdir = join(ROOT, 'dist')
  await rm(outdir, { recursive: true, force: true })
  await build({
    absWorkingDir: ROOT,
    entryPoints: { main: 'server/main.ts', worker: 'server/jobs/worker.ts' },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: OUTSIDE,
    banner: { js: REQUIRE },
    sourcemap: true,
    logLevel: 'warning',
    legalComments: 'none',
  })
}

await buildServer()
