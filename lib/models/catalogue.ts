/** The models in a folder: one sub-folder each, with a `card.json`. A card that ships two formats makes two entries. */
import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { dirname, join, normalize, sep } from 'node:path'
import { z } from 'zod'
import { AppError } from '../errors.ts'
import { modelCard, type ModelCard } from './card.ts'

export type Variant = 'onnx' | 'tfjs'

export interface CatalogueEntry {
  /** The card's id; with `-tfjs` behind it for the TensorFlow.js format. */
  readonly id: string
  readonly card: ModelCard
  readonly variant: Variant
  /** The model's folder, absolute. */
  readonly folder: string
  /** The file the engine loads, absolute: an .onnx file or a model.json. */
  readonly file: string
  /** Of every file that takes part in a prediction, in a fixed order. */
  readonly sha256: string
  readonly bytes: number
}

const weightsManifest = z.object({ weightsManifest: z.array(z.object({ paths: z.array(z.string()) })) })

/** A path inside the model's folder, or an error: a card must not reach outside it. */
function inside(folder: string, relative: string): string {
  const path = normalize(join(folder, relative))
  if (path.startsWith(folder + sep)) return path
  throw new AppError({ code: 'BAD_MODEL', message: `${folder}: the file ${relative} lies outside the model's folder.` })
}

async function filesOf(folder: string, card: ModelCard, variant: Variant): Promise<string[]> {
  const main = card.files[variant]
  if (main === undefined) return []
  const files = [inside(folder, main)]
  if (variant === 'tfjs') {
    const path = inside(folder, main)
    const manifest = weightsManifest.parse(JSON.parse(await readFile(path, 'utf8')))
    for (const group of manifest.weightsManifest) {
      for (const shard of group.paths) files.push(inside(folder, join(dirname(main), shard)))
    }
  }
  if (card.files.tokenizer !== undefined) files.push(inside(folder, card.files.tokenizer))
  return files
}

async function readCard(folder: string): Promise<ModelCard> {
  const path = join(folder, 'card.json')
  try {
    return modelCard.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause)
    throw new AppError({ code: 'BAD_MODEL', message: `${path}: not a model card. ${reason}`, cause })
  }
}

async function entriesOf(folder: string): Promise<CatalogueEntry[]> {
  const card = await readCard(folder)
  const entries: CatalogueEntry[] = []
  for (const variant of ['onnx', 'tfjs'] as const) {
    const files = await filesOf(folder, card, variant)
    const [file] = files
    if (file === undefined) continue
    const hash = createHash('sha256')
    let bytes = 0
    for (const path of files) {
      const content = await readFile(path)
      bytes += content.length
      hash.update(content)
    }
    // Preprocessing and labels are part of what a prediction means, so the hash covers them.
    hash.update(JSON.stringify([card.preprocessing, card.labels, card.defaultTap]))
    const id = variant === 'onnx' ? card.id : `${card.id}-tfjs`
    entries.push({ id, card, variant, folder, file, sha256: hash.digest('hex'), bytes })
  }
  return entries
}

/**
 * Reads every model folder under `folder`, sorted by id.
 * @throws AppError BAD_MODEL when a card or a file it names cannot be read, or two models have one id.
 */
export async function listModels(folder: string): Promise<readonly CatalogueEntry[]> {
  const children = (await readdir(folder, { withFileTypes: true })).filter((child) => child.isDirectory())
  const entries = (await Promise.all(children.map((child) => entriesOf(join(folder, child.name))))).flat()
  entries.sort((a, b) => (a.id < b.id ? -1 : 1))
  entries.forEach((entry, index) => {
    const before = entries[index - 1]
    if (before?.id === entry.id)
      throw new AppError({ code: 'BAD_MODEL', message: `Two models are called ${entry.id}: ${before.folder}, ${entry.folder}.` })
  })
  return entries
}
