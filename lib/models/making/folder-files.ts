/** The files of a local folder, as an import takes them. Links are refused: they would bring in what is not in it. */
import { readdir } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { AppError } from '../../errors.ts'

/** More than any model has; a folder of pictures given by mistake ends here. */
const MOST_FILES = 10_000

/**
 * Paths within the folder, with `/`, and where each lies. Hidden files and folders (`.git`) are left out.
 * @throws AppError BAD_INPUT where it is no folder, or holds a link or too many files
 */
export async function folderFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  const root = resolve(folder)
  const bad = (message: string, cause?: unknown): AppError => new AppError({ code: 'BAD_INPUT', message, cause })
  const found = new Map<string, string>()
  const visit = async (within: string): Promise<void> => {
    const children = await readdir(within, { withFileTypes: true }).catch((cause: unknown) => {
      throw bad(`${within} is not a folder that can be read.`, cause)
    })
    for (const child of children.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (child.name.startsWith('.') || child.name === '__MACOSX') continue
      const path = join(within, child.name)
      if (child.isSymbolicLink()) throw bad(`${path} is a link, which is not followed. Put the file itself into the folder.`)
      if (child.isDirectory()) await visit(path)
      else if (child.isFile()) found.set(relative(root, path).replaceAll(sep, '/'), path)
      if (found.size > MOST_FILES) throw bad(`${root} holds more than ${MOST_FILES} files. Is it the folder of a model?`)
    }
  }
  await visit(root)
  return found
}
