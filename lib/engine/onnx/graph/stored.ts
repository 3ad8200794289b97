/**
 * Weights that stay in the model's files: what the engine keeps is where they are, and ONNX Runtime maps them into memory
 * by itself. A model of a gigabyte loads as fast as a small one, and its weights are not held twice.
 */
import { closeSync, openSync, readSync, statSync, type Stats } from 'node:fs'
import path from 'node:path'
import { badModel, type Constant, type StoredBytes } from './graph.ts'

function sameFile(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.size === other.size && one.mtimeMs === other.mtimeMs
}

/** A file of a model, as it was when the model was loaded. */
export class StoredFile {
  /** Absolute, without symbolic links. */
  readonly folder: string
  /** Path inside the folder, as ONNX writes it. */
  readonly location: string
  readonly size: number
  readonly #stats: Stats

  /** @throws Error where there is no such file. */
  constructor(folder: string, file: string) {
    this.folder = folder
    this.location = path.relative(folder, file).split(path.sep).join('/')
    this.#stats = statSync(file)
    this.size = this.#stats.size
  }

  get #path(): string {
    return path.join(this.folder, this.location)
  }

  /** @throws AppError BAD_MODEL when the file is not the one that was loaded. */
  checkUnchanged(): void {
    const now = statSync(this.#path, { throwIfNoEntry: false })
    if (now === undefined || !sameFile(now, this.#stats))
      throw badModel(`${this.location} was changed or removed after the model was loaded. Load the model again.`)
  }

  /** Reads synchronously: rules need a kernel's values in the middle of building a graph. */
  read(offset: number, length: number): Uint8Array {
    this.checkUnchanged()
    const file = openSync(this.#path, 'r')
    try {
      return readFully(file, offset, length)
    } finally {
      closeSync(file)
    }
  }
}

/** @throws AppError BAD_MODEL where the file ends before. */
export function readFully(file: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let at = 0
  while (at < length) {
    const count = readSync(file, bytes, at, length - at, offset + at)
    if (count === 0) throw badModel('The file is not an ONNX model, or it is cut short.')
    at += count
  }
  return bytes
}

/** A constant whose bytes are read from the model's file each time they are asked for. */
export class StoredConstant implements Constant {
  constructor(
    readonly type: number,
    readonly dims: readonly number[],
    readonly stored: StoredBytes,
  ) {}

  get bytes(): Uint8Array {
    const { file, offset, length } = this.stored
    return file.read(offset, length)
  }
}

/** Bytes of a constant, without reading them. */
export function byteCount(constant: Constant): number {
  return constant.stored?.length ?? constant.bytes.length
}

/**
 * The folder in which files with some of these constants lie, unchanged since they were read; null where all are in memory.
 * @throws AppError BAD_MODEL when a file has changed.
 */
export function folderOf(constants: Iterable<Constant>): string | null {
  const files = new Set([...constants].flatMap(({ stored }) => (stored === undefined ? [] : [stored.file])))
  for (const file of files) file.checkUnchanged()
  const [first] = files
  return first?.folder ?? null
}
