/** What the command line and the environment say; the command line wins. */
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { AppError } from '../lib/errors.ts'

export interface Options {
  readonly host: string
  readonly port: number
  readonly dataFolder: string
  /** Where the user's own models lie. */
  readonly modelsFolder: string
  readonly allowHosts: readonly string[]
  readonly workers: number
  readonly apiOnly: boolean
  readonly logLevel: string
  readonly help: boolean
}

export const HELP = `Limelight shows why a model said what it said.

  npm start -- [options]

  --port <number>        port to listen on                    (PORT, default 3000)
  --host <name>          interface to listen on               (HOST, default 127.0.0.1: this computer only)
  --allow-host <name>    further name it may be reached under (may be repeated)
  --data <folder>        where runs and pictures are kept     (LIMELIGHT_DATA_DIR, default ./data)
  --models <folder>      your own models, beside the bundled  (LIMELIGHT_MODELS, default models in the data folder)
  --workers <number>     processes that compute               (LIMELIGHT_WORKERS, default 2; 1 on a single core)
  --api-only             GraphQL and pictures without the pages
  --log <level>          debug, info, warn, error or silent   (LIMELIGHT_LOG, default warn)
`

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

function bad(message: string): AppError {
  return new AppError({ code: 'BAD_INPUT', message })
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw bad(`${name} is "${text}"; it must be a whole number from ${least} to ${most}.`)
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        port: { type: 'string' },
        host: { type: 'string' },
        'allow-host': { type: 'string', multiple: true },
        data: { type: 'string' },
        models: { type: 'string' },
        workers: { type: 'string' },
        'api-only': { type: 'boolean' },
        log: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('. ')[0] ?? '') : String(cause)
    throw new AppError({ code: 'BAD_INPUT', message: `${reason}. See npm start -- --help.`, cause })
  }
}

/**
 * @param folder what a relative data folder is relative to when it is not on the command line
 * @throws AppError BAD_INPUT naming the option
 */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv, folder: string): Options {
  const given = parse(argv)
  const logLevel = given.log ?? env['LIMELIGHT_LOG'] ?? 'warn'
  if (!LEVELS.includes(logLevel)) throw bad(`--log is "${logLevel}"; it must be one of ${LEVELS.join(', ')}.`)
  const workers = given.workers ?? env['LIMELIGHT_WORKERS'] ?? (availableParallelism() > 1 ? '2' : '1')
  const data = given.data ?? env['LIMELIGHT_DATA_DIR']
  const dataFolder = data === undefined || data === '' ? resolve(folder, 'data') : resolve(data)
  const models = given.models ?? env['LIMELIGHT_MODELS']
  return {
    host: given.host ?? env['HOST'] ?? '127.0.0.1',
    port: whole('--port', given.port ?? env['PORT'] ?? '3000', 0, 65_535),
    dataFolder,
    modelsFolder: models === undefined || models === '' ? join(dataFolder, 'models') : resolve(models),
    allowHosts: given['allow-host'] ?? [],
    workers: whole('--workers', workers, 1, 64),
    apiOnly: given['api-only'] ?? false,
    logLevel,
    help: given.help ?? false,
  }
}
