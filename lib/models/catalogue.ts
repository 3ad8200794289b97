/** The models in a folder: one sub-folder each, with a `card.json` or Teachable Machine's metadata.json. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, readdir, stat } from 'node:fs/promises'
import { dirname, join, normalize, sep } from 'node:path'
import { z } from 'zod'
import { checkGroupSize, readModelJson } from '../engine/tfjs/read-artifacts.ts'
import { AppError } from '../errors.ts'
import { modelCard, oneLine, SPECIAL_TOKEN_FILES, type ModelCard } from './card.ts'
import { teachableMachineCard } from './teachable-machine.ts'

type Variant = 'onnx' | 'tfjs'

export interface CatalogueEntry {
  /** The card's id; where the card ships two formats, with `-tfjs` behind it for the TensorFlow.js one. */
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

/** Told of every file, absolute, before it is looked at: whoever remembers them can tell when a model has changed. */
export type Look = (path: string) => Promise<void>

const READ_BYTES = 1 << 20

function badModel(folder: string, found: string, cause?: unknown): AppError {
  return new AppError({ code: 'BAD_MODEL', message: `${folder}: ${found}`, userMessage: found, cause })
}

/** A path inside the model's folder, or an error: a card must not reach outside it. */
function inside(folder: string, relative: string): string {
  const path = normalize(join(folder, relative))
  if (path.startsWith(folder + sep)) return path
  throw badModel(folder, `the file ${relative} lies outside the model's folder.`)
}

/** A model's folder while it is read. */
class Folder {
  constructor(
    readonly path: string,
    private readonly look: Look,
  ) {}

  /** @returns the size of a file; null where there is none. */
  async size(relative: string): Promise<number | null> {
    const path = inside(this.path, relative)
    await this.look(path)
    const found = await stat(path).catch(() => null)
    if (found === null) return null
    if (!found.isFile()) throw badModel(this.path, `${relative} is not a file.`)
    return found.size
  }

  /** @throws AppError BAD_MODEL where there is no such file. */
  async needed(relative: string): Promise<number> {
    const size = await this.size(relative)
    if (size !== null) return size
    throw badModel(this.path, `${relative} is missing. Keep the files of the model together.`)
  }
}

async function cardOf(folder: Folder): Promise<ModelCard> {
  if ((await folder.size('card.json')) !== null) {
    try {
      return modelCard.parse(JSON.parse(await readFile(join(folder.path, 'card.json'), 'utf8')))
    } catch (cause) {
      const reason = cause instanceof z.ZodError ? oneLine(cause) : String(cause)
      throw badModel(folder.path, `card.json is not a model card. ${reason}`, cause)
    }
  }
  if ((await folder.size('metadata.json')) !== null) return teachableMachineCard(folder.path)
  throw badModel(
    folder.path,
    'it has neither a card.json nor the metadata.json of a Teachable Machine export. docs/models.md says what a model needs.',
  )
}

/** The card of a model's folder, and nothing more of it. @throws AppError BAD_MODEL */
export function readCard(path: string): Promise<ModelCard> {
  return cardOf(new Folder(path, () => Promise.resolve()))
}

/** The id under which a card's model of this format is offered. */
export function idOf(card: ModelCard, variant: Variant): string {
  return variant === 'tfjs' && card.files.onnx !== undefined ? `${card.id}-tfjs` : card.id
}

/** The files of a TensorFlow.js model: its model.json and the weights that one names, as long as they have to be. */
async function tfjsFiles(folder: Folder, main: string): Promise<string[]> {
  await folder.needed(main)
  const path = join(folder.path, main)
  const files = [main]
  for (const group of (await readModelJson(path)).weightsManifest) {
    let bytes = 0
    for (const shard of group.paths) {
      const file = join(dirname(main), shard)
      bytes += await folder.needed(file)
      files.push(file)
    }
    checkGroupSize(path, group, bytes)
  }
  return files
}

/** The files of an ONNX model: the graph and the data files its weights lie in. */
async function onnxFiles(folder: Folder, main: string): Promise<string[]> {
  await folder.needed(main)
  const { externalFiles } = await import('../engine/onnx/file/external-files.ts')
  const locations = externalFiles(join(folder.path, main))
  const files = locations.map((location) => join(dirname(main), location))
  for (const file of files) await folder.needed(file)
  return [main, ...files]
}

async function filesOf(folder: Folder, card: ModelCard, variant: Variant): Promise<string[]> {
  const main = card.files[variant]
  if (main === undefined) return []
  const files = await (variant === 'tfjs' ? tfjsFiles : onnxFiles)(folder, main)
  const { tokenizer } = card.files
  if (tokenizer === undefined) return files
  await folder.needed(tokenizer)
  const found = [...files, tokenizer]
  // They say which token is the mask, and so what a baseline is.
  for (const name of SPECIAL_TOKEN_FILES) {
    const beside = join(dirname(tokenizer), name)
    if ((await folder.size(beside)) !== null) found.push(beside)
  }
  return found
}

/** The models of one folder: one for each format its card names. @throws AppError BAD_MODEL */
export async function readModelFolder(
  path: string,
  look: Look = () => Promise.resolve(),
): Promise<readonly CatalogueEntry[]> {
  const folder = new Folder(path, look)
  const card = await cardOf(folder)
  const entries: CatalogueEntry[] = []
  for (const variant of ['onnx', 'tfjs'] as const) {
    const files = await filesOf(folder, card, variant)
    const [file] = files
    if (file === undefined) continue
    const hash = createHash('sha256')
    let bytes = 0
    for (const relative of files) {
      for await (const chunk of createReadStream(join(path, relative), { highWaterMark: READ_BYTES })) {
        bytes += (chunk as Buffer).length
        hash.update(chunk as Buffer)
      }
    }
    // Preprocessing and labels are part of what a prediction means, so the hash covers them.
    const head = card.link ?? card.output ?? card.problemType
    hash.update(
      JSON.stringify([
        card.preprocessing,
        card.labels,
        card.defaultTap,
        // Only where the card says something: a model of before has its hash of before.
        ...(head === undefined ? [] : [{ link: card.link, output: card.output, problemType: card.problemType }]),
      ]),
    )
    entries.push({ id: idOf(card, variant), card, variant, folder: path, file: join(path, file), sha256: hash.digest('hex'), bytes })
  }
  if (entries.length === 0) throw badModel(path, 'card.json names no model file: files needs onnx, tfjs or both.')
  return entries
}

/** Names of the folders in `folder`, sorted; those that systems put there themselves left out. */
export async function modelFolders(folder: string): Promise<readonly string[]> {
  const names: string[] = []
  for (const child of await readdir(folder, { withFileTypes: true })) {
    if (child.name.startsWith('.') || child.name === '__MACOSX') continue
    const isFolder =
      child.isDirectory() ||
      (child.isSymbolicLink() && (await stat(join(folder, child.name)).catch(() => null))?.isDirectory() === true)
    if (isFolder) names.push(child.name)
  }
  return names.sort()
}

/**
 * Reads every model folder under `folder`, sorted by id.
 * @throws AppError BAD_MODEL when a card or a file it names cannot be read, or two models have one id.
 */
export async function listModels(folder: string): Promise<readonly CatalogueEntry[]> {
  const names = await modelFolders(folder)
  const entries = (await Promise.all(names.map((name) => readModelFolder(join(folder, name))))).flat()
  entries.sort((a, b) => (a.id < b.id ? -1 : 1))
  entries.forEach((entry, index) => {
    const before = entries[index - 1]
    if (before?.id === entry.id)
      throw new AppError({
        code: 'BAD_MODEL',
        message: `Two models are called ${entry.id}: ${before.folder}, ${entry.folder}.`,
      })
  })
  return entries
}
