/** What the command line and the environment say; the command line wins. */
import { AppError } from '../lib/errors.ts'
import { readOptions as read, StartError, type Options } from './before-setup.mjs'

/** What is refused before the set-up is an error like any other once the server runs. */
export function asAppError(error: unknown): unknown {
  return error instanceof StartError ? new AppError({ code: 'BAD_INPUT', message: error.message, cause: error }) : error
}

/**
 * @param folder what a relative data folder is relative to when it is not on the command line
 * @throws AppError BAD_INPUT naming the option
 */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv, folder: string): Options {
  try {
    return read(argv, env, folder)
  } catch (error) {
    throw asAppError(error)
  }
}
