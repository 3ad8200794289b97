/** docs/architecture.md says where things live: every folder is on it, and everything it names is there. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../../..')
const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8')
const tracked = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).split('\n')

/** Folders of the tree down to a depth; the rooms of the engine have a page of their own. */
function folders(within: string, depth: number): string[] {
  const names = tracked
    .filter((file) => file.startsWith(within))
    .map((file) => file.split('/').slice(0, -1).slice(0, depth).join('/'))
  return [...new Set(names)].filter((name) => name.split('/').length === depth)
}

/** Whether the page has the folder, by its path or by its name in the drawing. */
function isNamed(folder: string): boolean {
  const name = folder.split('/').at(-1) ?? ''
  return page.includes(`\`${folder}/`) || new RegExp(`(^|[^\\w/.-])${name}/`, 'm').test(page.split('## A run')[0] ?? '')
}

test('every folder is on the page', () => {
  const all = [
    ...folders('', 1).filter((name) => /^[a-z]/.test(name)),
    ...folders('lib/', 2),
    ...folders('lib/methods/', 3),
    ...folders('lib/engine/', 3),
    ...folders('server/', 2),
    ...folders('server/jobs/', 3),
    ...folders('app/', 2),
  ]
  expect(all.length).toBeGreaterThan(40)
  expect(all.filter((folder) => !isNamed(folder))).toEqual([])
})

test('every path on the page is there', () => {
  const paths = [...page.matchAll(/`([a-z][\w./-]*(?:\/|\.(?:ts|tsx|js|json|graphql|md)))`/g)].map(
    ([, path = '']) => path,
  )
  const rooted = paths.filter((path) => path.includes('/') && !path.startsWith('app/page'))
  expect(rooted.length).toBeGreaterThan(30)
  expect(rooted.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})

test('it is one page with one drawing', () => {
  expect(page.split('```text')).toHaveLength(2)
  expect(page.split(/\s+/).length).toBeLessThan(1200)
})
