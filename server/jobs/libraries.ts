/** Versions of the libraries that take part in a prediction, for the run's provenance. */
import { createRequire } from 'node:module'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'

const require = createRequire(import.meta.url)

const TAKING_PART = {
  onnx: ['onnxruntime-node'],
  tfjs: ['@tensorflow/tfjs'],
  image: ['sharp'],
  text: ['@xenova/transformers'],
} as const

function versionOf(name: string): string {
  try {
    return (require(`${name}/package.json`) as { version: string }).version
  } catch {
    // Some packages do not export their package.json; the lockfile still says which version it was.
    return 'unknown'
  }
}

export function libraryVersions(entry: CatalogueEntry): Readonly<Record<string, string>> {
  const names = [...TAKING_PART[entry.variant], ...TAKING_PART[entry.card.preprocessing.kind]]
  return { node: process.versions.node, ...Object.fromEntries(names.map((name) => [name, versionOf(name)])) }
}
