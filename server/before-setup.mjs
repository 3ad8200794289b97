// What can be said to whoever starts Limelight before anything is installed or built: what the options mean, and whether
// the port and the data folder can be had. Plain JavaScript with Node's own modules, for bin/start.mjs and server/ both.
import { accessSync, constants, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

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

/** A sentence for the person who starts it. */
export class StartError extends Error {}

function whole(name, text, least, most) {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new StartError(`${name} is "${text}"; it must be a whole number from ${least} to ${most}.`)
}

function parse(argv) {
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
    throw new StartError(`${String(cause.message).split('. ')[0]}. See npm start -- --help.`, { cause })
  }
}

/** What the command line and the environment say; the command line wins. @throws StartError naming the option */
export function readOptions(argv, env, folder) {
  const given = parse(argv)
  const logLevel = given.log ?? env['LIMELIGHT_LOG'] ?? 'warn'
  if (!LEVELS.includes(logLevel))
    throw new StartError(`--log is "${logLevel}"; it must be one of ${LEVELS.join(', ')}.`)
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

/** Why a server could not listen, and what to do. */
export function whyNotListening(cause, host, port) {
  const reasons = {
    EADDRINUSE: `port ${port} on ${host} is in use, perhaps by another Limelight. Stop that, or choose another port with --port.`,
    EACCES: `port ${port} may not be used by this account. Choose one above 1023 with --port.`,
    EADDRNOTAVAIL: `this computer has no interface ${host}. Choose another one with --host.`,
    ENOTFOUND: `the host ${host} is unknown. Choose another one with --host.`,
  }
  return reasons[cause.code] ?? `cannot listen on ${host}:${port} (${cause.message}).`
}

/** What to say of a data folder that cannot be used. */
export function unusableFolder(folder, cause) {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return `the data folder ${folder} cannot be written (${reason}). Make it writable, or choose another one with --data.`
}

/** @throws StartError when the port cannot be listened on now */
export function checkPort(host, port) {
  return new Promise((done, refuse) => {
    const server = createServer()
    server.once('error', (cause) => refuse(new StartError(whyNotListening(cause, host, port), { cause })))
    server.listen(port, host, () => server.close(() => done()))
  })
}

/**
 * Looks at the nearest folder that is there: makes nothing.
 * @throws StartError when the data folder could not be made or written
 */
export function checkDataFolder(folder) {
  let nearest = folder
  try {
    while (statSync(nearest, { throwIfNoEntry: false }) === undefined) nearest = dirname(nearest)
    if (!statSync(nearest).isDirectory()) throw new Error(`${nearest} is a file`)
    accessSync(nearest, constants.W_OK)
  } catch (cause) {
    throw new StartError(unusableFolder(folder, cause), { cause })
  }
}

/** @throws StartError naming a folder of models that was asked for and is not there */
export function checkModelsFolder({ dataFolder, modelsFolder }) {
  if (modelsFolder === join(dataFolder, 'models')) return // made at start
  if (statSync(modelsFolder, { throwIfNoEntry: false })?.isDirectory() === true) return
  throw new StartError(`there is no folder ${modelsFolder} with models. Make it, or choose another one with --models.`)
}
