import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeFolder } from '../../../server/storage/make-folder.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limelight-folder-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('makes the folders above it, and is content with one that is there', async () => {
  const deep = join(folder, 'a/b/c')
  await makeFolder(deep)
  await makeFolder(deep)
  expect((await stat(deep)).isDirectory()).toBe(true)
})

test('refuses a file of that name, and one on the way', async () => {
  const file = join(folder, 'file')
  await writeFile(file, '')
  await expect(makeFolder(file)).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(makeFolder(join(file, 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test('ends where a file system makes no folders', async () => {
  await expect(makeFolder('/proc/limelight/data')).rejects.toThrow()
})
