/** Next's pages, served inside this process. Importing Next takes longer than all the rest, so it is begun last. */
import { AppError } from '../lib/errors.ts'
import type { PageHandler } from './app.ts'

type NextFactory = (options: { dev: boolean; dir: string; hostname: string; port: number }) => {
  prepare(): Promise<void>
  close(): Promise<void>
  getRequestHandler(): PageHandler
}

type LoadConfig = (phase: string, dir: string, options: { silent: boolean }) => Promise<unknown>

export interface Pages {
  /** Begins to load, or says how that went. */
  handler(): Promise<PageHandler>
  close(): Promise<void>
}

export function openPages(dir: string, address: () => { hostname: string; port: number }): Pages {
  let loading: Promise<{ handle: PageHandler; close(): Promise<void> }> | null = null
  const load = async () => {
    try {
      const { default: imported } = (await import('next')) as unknown as {
        default: NextFactory & { default?: NextFactory }
      }
      // Next loads its configuration again and tells how long that took, after our last word; what it has kept it does
      // not tell of.
      const { default: configuration } = (await import('next/dist/server/config.js')) as unknown as {
        default: { default: LoadConfig }
      }
      await configuration.default('phase-production-server', dir, { silent: true })
      const next = (imported.default ?? imported)({ dev: false, dir, ...address() })
      await next.prepare()
      return { handle: next.getRequestHandler(), close: () => next.close() }
    } catch (cause) {
      throw new AppError({
        code: 'INTERNAL',
        message: `the pages cannot be served: ${cause instanceof Error ? cause.message : String(cause)}`,
        userMessage: 'The pages of Limelight are not built. Run npm start once more; it builds them.',
        cause,
      })
    }
  }
  return {
    async handler() {
      loading ??= load()
      return (await loading).handle
    },
    async close() {
      await loading?.then(
        (pages) => pages.close(),
        () => undefined,
      )
    },
  }
}
