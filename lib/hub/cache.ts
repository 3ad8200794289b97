/**
 * The cache that Python's huggingface_hub shares: `models--org--name/` with `blobs/<etag>`, `refs/<revision>` (a commit),
 * and `snapshots/<commit>/<path>`, links to blobs. https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
import { copyFile, lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { COMMIT } from './names.ts'
import type { HubModel, HubSettings } from './settings.ts'

export class RepositoryCache {
  readonly #folder: string

  constructor({ cacheFolder }: Pick<HubSettings, 'cacheFolder'>, { name }: Pick<HubModel, 'name'>) {
    this.#folder = join(cacheFolder, ['models', ...name.split('/')].join('--'))
  }

  snapshot(commit: string): string {
    return join(this.#folder, 'snapshots', commit)
  }

  /** @param etag 40 or 64 hexadecimal digits */
  blob(etag: string): string {
    return join(this.#folder, 'blobs', etag)
  }

  /** What a revision was when it was last asked for; null where it never was. */
  async commitOf(revision: string): Promise<string | null> {
    if (COMMIT.test(revision)) return revision
    const text = await readFile(join(this.#folder, 'refs', revision), 'utf8').catch(() => '')
    return COMMIT.test(text.trim()) ? text.trim() : null
  }

  async remember(revision: string, commit: string): Promise<void> {
    if (COMMIT.test(revision)) return
    const path = join(this.#folder, 'refs', revision)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, commit)
  }

  async holds(etag: string): Promise<boolean> {
    return (await stat(this.blob(etag)).catch(() => null))?.isFile() === true
  }

  /** Makes `snapshots/<commit>/<path>` mean a blob; a copy where the system makes no links. */
  async link(commit: string, path: string, etag: string): Promise<void> {
    const target = join(this.snapshot(commit), path)
    if ((await stat(target).catch(() => null)) !== null) return
    await mkdir(dirname(target), { recursive: true })
    if ((await lstat(target).catch(() => null)) !== null) await rm(target) // of a blob that is gone
    await symlink(relative(dirname(target), this.blob(etag)), target).catch(() => copyFile(this.blob(etag), target))
  }

  /** Paths in a snapshot whose blobs are there, sorted; none for a commit that was never fetched. */
  async files(commit: string): Promise<readonly string[]> {
    const root = this.snapshot(commit)
    const names = await readdir(root, { recursive: true }).catch(() => [])
    const files: string[] = []
    for (const name of names)
      if ((await stat(join(root, name)).catch(() => null))?.isFile() === true) files.push(name.replaceAll('\\', '/'))
    return files.sort()
  }
}
