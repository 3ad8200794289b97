/** One line a happening, for people, on stderr: `12:31:07 info  run 0192... done in 61 ms`. */
import { pino, type Logger } from 'pino'

export type { Logger }

const NAMES: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}
const OWN_FIELDS = new Set(['level', 'time', 'msg', 'err', 'pid', 'hostname'])

interface Entry {
  readonly level: number
  readonly time: number
  readonly msg?: string
  readonly err?: { readonly stack?: string; readonly message?: string }
}

/** Turns pino's JSON into a line to read; anything that is not JSON is passed on. */
export function formatLine(json: string): string {
  let entry: Entry & Record<string, unknown>
  try {
    entry = JSON.parse(json) as Entry & Record<string, unknown>
  } catch {
    return json
  }
  const time = new Date(entry.time).toISOString().slice(11, 19)
  const fields = Object.entries(entry)
    .filter(([name]) => !OWN_FIELDS.has(name))
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('')
  const cause = entry.err === undefined ? '' : `\n${entry.err.stack ?? entry.err.message ?? ''}`
  return `${time} ${(NAMES[entry.level] ?? '').padEnd(5)} ${entry.msg ?? ''}${fields}${cause}\n`
}

/** @param level one of pino's levels, or 'silent' */
export function createLogger(level: string): Logger {
  return pino({ level, base: null }, { write: (json: string) => void process.stderr.write(formatLine(json)) })
}
