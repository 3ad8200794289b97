/** Versions of the libraries that take part in a prediction, for the run's provenance. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'

const require = createRequire(import.meta.url)

const TAKING_PART = {
  onnx: ['onnxruntime-node'],
  tfjs: ['@tensorflow/tfjs'],
  image: ['sharp'],
  text: ['tokenizers'],
} as const

/** Looked up as a file: not every package lets its package.json be imported. */
function versionOf(name: string): string {
  for (const folder of require.resolve.paths(name) ?? []) {
    const file = join(folder, name, 'package.json')
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  }
  return 'unknown'
}

export function libraryVersions(entry: CatalogueEntry): Readonly<Record<string, string>> {
  const names = [...TAKING_PART[entry.variant], ...TAKING_PART[entry.card.preprocessing.kind]]
  return { node: process.versions.node, ...Object.fromEntries(names.map((name) => [name, versionOf(name)])) }
}
