/** The goldens that bench/conformance/perturbation.py computed with the peers. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, '../fixtures/conformance/perturbation')

/** The cases of a golden file; what is in one, its reader says. */
export function goldens(name: string): unknown[] {
  return (JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as { cases: unknown[] }).cases
}
