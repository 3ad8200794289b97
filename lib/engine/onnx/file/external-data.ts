/** Weights in files beside the model. */
import { realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { badModel, type StoredBytes } from '../graph/graph.ts'
import { StoredFile } from '../graph/stored.ts'

/** Finds a range of an external data file by its relative name: `(location, offset, length)`. */
export type ExternalData = (location: string, offset: number, length: number) => Promise<StoredBytes>

/** External data confined to `folder` (a real path): no absolute names, no way out of it, symbolic links included. */
export function externalDataIn(folder: string): ExternalData {
  const files = new Map<string, Promise<StoredFile>>()
  const open = async (location: string): Promise<StoredFile> => {
    const root = folder
    const wanted = path.resolve(root, location)
    const outside = (name: string): boolean => name !== root && !name.startsWith(root + path.sep)
    if (path.isAbsolute(location) || outside(wanted))
      throw badModel(`External data "${location}" lies outside the model's folder.`)
    const real = await realpath(wanted).catch(() => {
      throw badModel(`External data file "${location}" is missing. Keep it beside the model.`)
    })
    if (outside(real)) throw badModel(`External data "${location}" lies outside the model's folder.`)
    if (!(await stat(real)).isFile()) throw badModel(`External data "${location}" is not a file.`)
    return new StoredFile(root, real)
  }
  return async (location, offset, length) => {
    let opened = files.get(location)
    if (opened === undefined) files.set(location, (opened = open(location)))
    const file = await opened
    if (!Number.isSafeInteger(offset) || offset < 0 || !(length >= 0))
      throw badModel(
        `External data "${location}": its offset or length is not a whole number from 0 on. The file is damaged.`,
      )
    if (offset + length > file.size)
      throw badModel(`External data "${location}" has ${file.size} bytes, ${offset + length} are needed.`)
    return { file, offset, length }
  }
}
