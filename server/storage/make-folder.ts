import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

/**
 * Makes a folder and those above it. Node's own recursive `mkdir` never ends where a file system answers ENOENT in a
 * folder that is there, as /proc does.
 * @throws the system's error (EACCES, ENOENT, ENOTDIR, EROFS, EEXIST where a file has that name)
 */
export async function makeFolder(folder: string): Promise<void> {
  const path = resolve(folder)
  try {
    await mkdir(path)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    const above = dirname(path)
    const aboveIsMissing = code === 'ENOENT' && above !== path && (await stat(above).catch(() => null)) === null
    if (!aboveIsMissing) throw error
    await makeFolder(above)
    await mkdir(path)
  }
}
