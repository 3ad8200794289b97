/**
 * Files of a model, wherever they come from, into the user's folder of models: chosen, copied, with a `card.json` made of
 * them. Whatever goes wrong, the folder of models is as it was.
 */
import { constants } from 'node:fs'
import { copyFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, posix } from 'node:path'
import { externalFiles } from '../../engine/onnx/file/external-files.ts'
import { AppError } from '../../errors.ts'
import { chooseOnnx, companionsOf } from '../../hub/choose.ts'
import { isInnerPath } from '../../hub/names.ts'
import type { ModelCard } from '../card.ts'
import { readCard, readModelFolder, type CatalogueEntry } from '../catalogue.ts'
import { cardFrom } from './card-from.ts'
import { graphFacts } from './graph-facts.ts'
import { notForLimelight, type Guess } from './sources.ts'

export interface ModelFiles {
  /** Paths as the source has them, and where each lies on this machine. */
  readonly paths: ReadonlyMap<string, string>
  /** What people call it; its id is made of it. */
  readonly title: string
  /** Where it comes from: `org/name at <commit>`, or a folder's name. */
  readonly source: string
  readonly license: string | null
  /** The ONNX file; null: the usual one. */
  readonly onnx: string | null
}

export interface ImportedModel {
  readonly id: string
  readonly folder: string
  readonly entries: readonly CatalogueEntry[]
  /** Empty for a card that came with the model. */
  readonly guesses: readonly Guess[]
}

const CARD = 'card.json'
const TEACHABLE_MACHINE = ['model.json', 'metadata.json']
const LONGEST_JSON = 128 * 2 ** 20

/** A name as an id: lower case, digits and hyphens. */
export function idFor(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return slug === '' ? 'model' : slug
}

async function jsonAt(path: string | undefined, name: string): Promise<unknown> {
  if (path === undefined) return undefined
  if ((await stat(path)).size > LONGEST_JSON) throw notForLimelight(`${name} is too large to be read.`)
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown
  } catch (cause) {
    throw new AppError({ code: 'BAD_MODEL', message: `${name} is not JSON (${cause instanceof Error ? cause.message : String(cause)}).`, cause })
  }
}

interface Chosen {
  readonly paths: readonly string[]
  readonly card: ModelCard | null
  readonly guesses: readonly Guess[]
}

/** The ONNX file, what it needs, and a card made of them. */
async function chooseAndDescribe({ paths, title, source, license, onnx: wanted }: ModelFiles): Promise<Chosen> {
  const names = [...paths.keys()]
  const onnx = chooseOnnx(names, wanted)
  const at = paths.get(onnx) ?? ''
  const external = externalFiles(at).map((location) => posix.join(posix.dirname(onnx), location))
  const missing = external.find((path) => !isInnerPath(path) || !paths.has(path))
  if (missing !== undefined) throw notForLimelight(`${onnx} keeps weights in ${missing}, which is not among the files.`)
  const companions = companionsOf(onnx, names)
  const read = (name: string): Promise<unknown> => jsonAt(paths.get(companions[name] ?? ''), name)
  const { card, guesses } = cardFrom({
    id: idFor(title),
    title,
    source,
    ...(license === null ? {} : { license }),
    onnx,
    tokenizer: companions['tokenizer.json'] ?? null,
    graph: graphFacts(at),
    config: await read('config.json'),
    preprocessor: await read('preprocessor_config.json'),
    tokenizerConfig: await read('tokenizer_config.json'),
    tokenizerJson: await read('tokenizer.json'),
  })
  return { paths: [onnx, ...external, ...Object.values(companions)], card, guesses }
}

/** A model that is whole already, with its card or as Teachable Machine exports it, is taken as it is. */
function isWhole(paths: ModelFiles['paths']): boolean {
  return paths.has(CARD) || TEACHABLE_MACHINE.every((name) => paths.has(name))
}

/** The card of a whole model. One that nobody named is called as its folder: by what people call it, here. */
async function cardWithin(staged: string, title: string): Promise<ModelCard> {
  const card = await readCard(staged)
  return card.title === basename(staged) ? { ...card, title } : card
}

function checkPaths({ paths }: ModelFiles): void {
  const outside = [...paths.keys()].find((path) => !isInnerPath(path))
  if (outside !== undefined)
    throw new AppError({ code: 'BAD_INPUT', message: `The file ${JSON.stringify(outside)} lies outside of the model's folder; that is not followed.` })
  if (paths.size === 0) throw notForLimelight('There are no files.')
}

async function checkSize(files: readonly string[], maxBytes: number): Promise<void> {
  let bytes = 0
  for (const file of files) bytes += (await stat(file)).size
  if (bytes <= maxBytes) return
  throw notForLimelight(`This model has ${Math.round(bytes / 1e6)} MB; at most ${Math.round(maxBytes / 1e6)} MB are taken.`)
}

/** Puts the finished folder where the catalogue finds it. @throws AppError CONFLICT where another model has the place */
async function putInPlace(staged: string, target: string, source: string): Promise<void> {
  const before = await stat(target).catch(() => null)
  if (before === null) {
    await rename(staged, target)
    return
  }
  const origin = (text: string): string => text.split(' at ')[0] ?? text
  const known = await readCard(target).catch(() => null)
  if (known === null || origin(known.provenance.recipe) !== origin(source))
    throw new AppError({
      code: 'CONFLICT',
      message: `There is another model in ${target}. Take it away or give it another name, then import again.`,
    })
  const old = `${staged}-replaced`
  await rename(target, old)
  await rename(staged, target)
  await rm(old, { recursive: true })
}

/**
 * @param models the user's folder of models
 * @param maxBytes of all files that are taken
 * @throws AppError BAD_MODEL, BAD_INPUT, CONFLICT
 */
export async function importFiles(files: ModelFiles, models: string, maxBytes: number): Promise<ImportedModel> {
  checkPaths(files)
  const { paths, title, source } = files
  const chosen: Chosen = isWhole(paths)
    ? { paths: [...paths.keys()], card: null, guesses: [] }
    : await chooseAndDescribe(files)
  const from = (path: string): string => paths.get(path) ?? ''
  await checkSize(chosen.paths.map(from), maxBytes)
  const id = idFor(title)
  // Folders with a dot are no models yet; of one name only one is made at a time.
  const staging = join(models, `.importing-${id}`)
  const staged = join(staging, id)
  await rm(staging, { recursive: true, force: true })
  try {
    for (const path of chosen.paths) {
      const target = join(staged, path)
      await mkdir(dirname(target), { recursive: true })
      // Shares the bytes with the cache where the file system can.
      await copyFile(from(path), target, constants.COPYFILE_FICLONE)
    }
    const card = chosen.card ?? (await cardWithin(staged, title))
    if (!paths.has(CARD)) await writeFile(join(staged, CARD), `${JSON.stringify(card, null, 2)}\n`)
    await readModelFolder(staged)
    const folder = join(models, id)
    await putInPlace(staged, folder, source)
    return { id: card.id, folder, entries: await readModelFolder(folder), guesses: chosen.guesses }
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}
