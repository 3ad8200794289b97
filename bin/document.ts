/**
 * `npm run document`: writes the tables of docs/ that follow from the lists of methods and metrics and from the figures in
 * docs/quality.jsonl. A unit test holds that they are up to date.
 */
import { resolve } from 'node:path'
import { writePages } from '../bench/documents/pages.ts'
import { AppError } from '../lib/errors.ts'

try {
  await writePages(resolve(import.meta.dirname, '..'))
} catch (thrown) {
  process.stderr.write(`document: ${AppError.from(thrown).message}\n`)
  process.exitCode = 1
}
