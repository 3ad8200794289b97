/** Which parts of the documentation are written by a script, and what is in them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { METHODS } from '../../lib/methods/index.ts'
import { METRICS } from '../../lib/metrics/index.ts'
import { readQuality } from '../quality/figures.ts'
import { qualityTables } from '../quality/tables.ts'
import { withGenerated } from './generated.ts'
import { methodsTable, metricsTable } from './methods-table.ts'

export const PAGES = ['docs/methods.md', 'docs/methods-text.md', 'docs/metrics.md', 'docs/quality.md'] as const
type Page = (typeof PAGES)[number]

const QUALITY_FILE = 'docs/quality.jsonl'

/** Of each page its written parts by name, from the lists of methods and metrics and the figures that are kept. */
function partsOf(root: string): Readonly<Record<Page, Readonly<Record<string, string>>>> {
  const quality = readQuality(join(root, QUALITY_FILE))
  return {
    'docs/methods.md': { methods: methodsTable(METHODS, 'image', quality) },
    'docs/methods-text.md': { methods: methodsTable(METHODS, 'text', quality) },
    'docs/metrics.md': { pictures: metricsTable(METRICS, 'image'), texts: metricsTable(METRICS, 'text') },
    'docs/quality.md': qualityTables(METHODS, quality),
  }
}

/** A page as it would be written now. @param root of the repository. @throws AppError BAD_INPUT where a page lacks a part */
export async function writtenPage(root: string, page: Page): Promise<string> {
  const path = join(root, page)
  const parts = Object.entries(partsOf(root)[page])
  const text = parts.reduce(
    (before, [name, content]) => withGenerated(before, name, content),
    readFileSync(path, 'utf8'),
  )
  return format(text, { ...(await resolveConfig(path)), parser: 'markdown' })
}

/** @param root of the repository */
export async function writePages(root: string): Promise<void> {
  for (const page of PAGES) writeFileSync(join(root, page), await writtenPage(root, page))
}
