/** What every resolver is given. */
import type { Parts } from '../parts.ts'
import { loadRunParts, type RunParts } from '../services/load-run-parts.ts'

export interface Context {
  readonly parts: Parts
  readonly runParts: RunParts
  /** Under which address the client sees this server: `http://127.0.0.1:3000`. */
  readonly origin: string
}

export function createContext(parts: Parts, origin: string): Context {
  return { parts, runParts: loadRunParts(parts), origin }
}
