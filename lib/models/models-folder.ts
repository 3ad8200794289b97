/**
 * A folder of models that people put there while the server runs: what has changed is read again, and a model that
 * cannot be read is left out with the reason, without a loss for the others.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../errors.ts'
import { idOf, modelFolders, readCard, readModelFolder, type CatalogueEntry } from './catalogue.ts'
import { idIn, refOf } from './model-ref.ts'

/** A model folder that is left out. */
export interface ModelProblem {
  /** The folder's name. */
  readonly folder: string
  /** Why, and what to do: one line. */
  readonly message: string
}

export interface ModelsReading {
  /** By id within the folder's order. */
  readonly entries: readonly CatalogueEntry[]
  readonly problems: readonly ModelProblem[]
}

interface Reading {
  readonly entries: readonly CatalogueEntry[]
  readonly problem: string | null
  /** Every file that was looked at, and what it was then. */
  readonly seen: ReadonlyMap<string, string>
}

/** What of a file changes when it is written or replaced. */
async function stampOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => null)
  return found === null ? 'absent' : `${found.size} ${found.mtimeMs} ${found.ino}`
}

async function isUnchanged({ seen }: Reading): Promise<boolean> {
  const stamps = await Promise.all([...seen.keys()].map(stampOf))
  return [...seen.values()].every((stamp, index) => stamp === stamps[index])
}

async function read(path: string): Promise<Reading> {
  const seen = new Map<string, string>()
  try {
    const entries = await readModelFolder(path, async (file) => {
      // Before the file is read: a change in the middle shows the next time.
      if (!seen.has(file)) seen.set(file, await stampOf(file))
    })
    return { entries, problem: null, seen }
  } catch (thrown) {
    const problem = thrown instanceof AppError ? thrown.userMessage : String(thrown)
    return { entries: [], problem: problem.replaceAll(/\s+/g, ' '), seen }
  }
}

export class ModelsFolder {
  readonly #path: string
  #readings = new Map<string, Reading>()

  constructor(path: string) {
    this.#path = path
  }

  /**
   * The models that are there now; a folder that is not there holds none.
   * @param taken ids that others have already
   */
  async read(taken: ReadonlySet<string> = new Set()): Promise<ModelsReading> {
    const names = await modelFolders(this.#path).catch(() => [])
    const readings = new Map<string, Reading>()
    // One after the other: many large models at once would fill the memory.
    for (const name of names) {
      readings.set(name, await this.#reading(name))
    }
    this.#readings = readings

    const ids = new Set(taken)
    const entries: CatalogueEntry[] = []
    const problems: ModelProblem[] = []
    for (const [folder, reading] of readings) {
      const double = reading.entries.find(({ id }) => ids.has(id))
      if (reading.problem !== null) problems.push({ folder, message: reading.problem })
      else if (double !== undefined)
        problems.push({
          folder,
          message: `another model is called ${double.id} already. Change the id in card.json, or the name of the folder.`,
        })
      else {
        for (const { id } of reading.entries) ids.add(id)
        entries.push(...reading.entries)
      }
    }
    return { entries, problems }
  }

  /**
   * The model of this id and content, `<id>@<sha256>`; null where no folder holds it. Of the others only the cards are
   * read: models are large, and to know what one is made of is to read all of it.
   */
  async find(ref: string): Promise<CatalogueEntry | null> {
    const id = idIn(ref)
    for (const name of await modelFolders(this.#path).catch(() => [])) {
      const card = await readCard(join(this.#path, name)).catch(() => null)
      if (card === null || (idOf(card, 'onnx') !== id && idOf(card, 'tfjs') !== id)) continue
      const reading = await this.#reading(name)
      this.#readings.set(name, reading)
      const found = reading.entries.find((entry) => refOf(entry) === ref)
      if (found !== undefined) return found
    }
    return null
  }

  /** What is in a folder: what was there before, where none of its files has changed. */
  async #reading(name: string): Promise<Reading> {
    const before = this.#readings.get(name)
    return before !== undefined && (await isUnchanged(before)) ? before : read(join(this.#path, name))
  }
}
