/** The server's entry: `npm start` calls {@link main}; `node --import tsx server/main.ts` runs it alone. */
import { homedir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { AppError } from '../lib/errors.ts'
import { createLogger } from './logger.ts'
import { ROOT } from './paths.ts'
import { HELP } from './before-setup.mjs'
import { hubSettings } from './hub-settings.ts'
import { readOptions } from './options.ts'
import { start, type RunningServer } from './start.ts'

/** If stopping takes longer than this, something hangs, and waiting helps nobody. */
const STOP_LIMIT_MS = 5000

function giveUp(error: unknown): never {
  const { userMessage, code } = AppError.from(error)
  process.stderr.write(`limelight: ${userMessage}\n`)
  if (code === 'INTERNAL' && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
  process.exit(1)
}

/** The first Ctrl-C ends the server in order, the second at once. */
function stopOnSignals(server: RunningServer): void {
  let stopping = false
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(130)
    stopping = true
    process.stderr.write(
      `${signal === 'SIGINT' ? '\n' : ''}Stopping. Runs that are not done go on at the next start.\n`,
    )
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref()
    server.stop().then(() => process.exit(0), giveUp)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  process.on('SIGHUP', stop)
}

/** Starts the server as the arguments and the environment say; ends the process with one line when that fails. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    const { help, logLevel, ...options } = readOptions(argv, process.env, ROOT)
    if (help) {
      process.stdout.write(HELP)
      return
    }
    const log = createLogger(logLevel)
    process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
    const server = await start({ ...options, log, hub: hubSettings(process.env, homedir()) })
    stopOnSignals(server)
    process.stdout.write(`Limelight is ready: ${server.url}\n`)
  } catch (error) {
    giveUp(error)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2))
