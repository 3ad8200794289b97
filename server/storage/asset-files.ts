/**
 * The bytes of pictures, as files named by their content: `assets/ab/<sha256>` is the original as it came,
 * `assets/ab/<sha256>.jpg` the upright copy that is shown. A file is written whole under another name and then renamed,
 * so one that has its name is complete; one that no row knows of does no harm and is taken over by the next upload.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError } from '../../lib/errors.ts'
import type { AssetStore } from './stores.ts'

async function readKept(path: string, id: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new AppError({
      code: 'NOT_FOUND',
      message: `The file of picture ${id} is missing from the data folder.`,
      cause,
    })
  }
}

export class AssetFiles implements AssetStore {
  readonly #folder: string
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(dataFolder: string) {
    this.#folder = join(dataFolder, 'assets')
  }

  /** Where the original lies. */
  original(id: string): string {
    return join(this.#folder, id.slice(0, 2), id)
  }

  /** Where the copy for display lies. */
  display(id: string): string {
    return `${this.original(id)}.jpg`
  }

  /** Lets one at a time store or remove a picture, row and files together. */
  async exclusively<T>(id: string, action: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(id) ?? Promise.resolve()
    const turn = before.then(action, action)
    this.#turns.set(id, turn)
    try {
      return await turn
    } finally {
      if (this.#turns.get(id) === turn) this.#turns.delete(id)
    }
  }

  async write(id: string, original: Uint8Array, display: Uint8Array): Promise<void> {
    await Promise.all([writeWhole(this.original(id), original), writeWhole(this.display(id), display)])
  }

  /** @throws AppError NOT_FOUND when the file is gone */
  async readDisplay(id: string): Promise<Uint8Array> {
    return readKept(this.display(id), id)
  }

  /** The original as it came. @throws AppError NOT_FOUND when the file is gone */
  async read(id: string): Promise<Uint8Array> {
    return readKept(this.original(id), id)
  }

  async remove(id: string): Promise<void> {
    await Promise.all([rm(this.original(id), { force: true }), rm(this.display(id), { force: true })])
  }
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${randomUUID()}.part`
  const file = await open(temporary, 'wx')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
