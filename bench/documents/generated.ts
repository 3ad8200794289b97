/** Parts of a page that are written by a script, between two comments; what stands around them is written by people. */
import { AppError } from '../../lib/errors.ts'

const begin = (name: string): string => `<!-- generated: ${name} -->`
const end = (name: string): string => `<!-- end: ${name} -->`

/** @throws AppError BAD_INPUT for a page without the two comments, in this order */
export function withGenerated(page: string, name: string, content: string): string {
  const from = page.indexOf(begin(name))
  const to = page.indexOf(end(name), from)
  if (from < 0 || to < 0)
    throw new AppError({
      code: 'BAD_INPUT',
      message: `The page has no part "${name}". Put ${begin(name)} and ${end(name)} where it belongs.`,
    })
  return `${page.slice(0, from + begin(name).length)}\n\n${content.trim()}\n\n${page.slice(to)}`
}

/** A table of Markdown. @param rows as many cells a row as there are columns */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')
}
