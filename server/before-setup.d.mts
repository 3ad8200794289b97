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

export const HELP: string
export class StartError extends Error {}

/**
 * @param folder what a relative data folder is relative to when it is not on the command line
 * @throws StartError naming the option
 */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv, folder: string): Options
export function whyNotListening(cause: NodeJS.ErrnoException, host: string, port: number): string
export function unusableFolder(folder: string, cause: unknown): string
export function checkPort(host: string, port: number): Promise<void>
export function checkDataFolder(folder: string): void
export function checkModelsFolder(options: Pick<Options, 'dataFolder' | 'modelsFolder'>): void
