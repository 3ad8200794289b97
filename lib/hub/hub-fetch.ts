/**
 * The only way to the network: a `fetch` that asks the endpoint and nobody else.
 *
 * A request has to be for the endpoint's origin. The endpoint may redirect: within its origin, or once to an https
 * address of another host, as the hub sends large files to its store. The token stays with the endpoint's origin; what
 * the store redirects to in turn is refused, and so is an address that is a number or this computer.
 */
import { isIP } from 'node:net'
import { AppError } from '../errors.ts'
import type { HubSettings } from './settings.ts'

const MOST_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])

function refused(message: string, userMessage: string): AppError {
  return new AppError({ code: 'BAD_INPUT', message, userMessage })
}

function isStore(target: URL): boolean {
  const host = target.hostname.replace(/^\[|\]$/g, '')
  return target.protocol === 'https:' && isIP(host) === 0 && host !== 'localhost' && !host.endsWith('.localhost')
}

/** Another failure than an answer of the hub: no connection, or one that broke. */
export function unreachable(endpoint: string, cause: unknown): AppError {
  const reason =
    cause instanceof Error ? (cause.cause instanceof Error ? cause.cause.message : cause.message) : String(cause)
  return new AppError({
    code: 'HUB_UNREACHABLE',
    message: `The hub ${endpoint} does not answer (${reason}). Check the connection; HF_ENDPOINT names a mirror, HF_HUB_OFFLINE=1 uses the cache alone.`,
    cause,
  })
}

function urlOf(input: Parameters<typeof fetch>[0]): URL {
  return new URL(typeof input === 'string' || input instanceof URL ? input : input.url)
}

/**
 * @param signal ends requests, and the reading of their answers
 * @param request the platform's `fetch`; a test's own
 * @returns a fetch that throws AppError CANCELLED, HUB_UNREACHABLE, or BAD_INPUT for an address that may not be asked
 */
export function hubFetch(
  { endpoint, token }: Pick<HubSettings, 'endpoint' | 'token'>,
  signal: AbortSignal,
  request: typeof fetch = fetch,
): typeof fetch {
  const { origin } = new URL(endpoint)
  const ask = async (url: URL, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers)
    headers.delete('authorization')
    if (url.origin === origin && token !== null) headers.set('authorization', `Bearer ${token}`)
    try {
      return await request(url, { ...init, headers, redirect: 'manual', signal })
    } catch (cause) {
      if (signal.aborted) throw new AppError({ code: 'CANCELLED', message: 'The import was cancelled.', cause })
      throw unreachable(endpoint, cause)
    }
  }
  return async (input, init = {}) => {
    let url = urlOf(input)
    // A page of a list names the next one: that, too, has to be the endpoint's.
    if (url.origin !== origin)
      throw refused(
        `asked for ${url.origin} instead of ${origin}`,
        `The hub ${endpoint} names an address on another host (${url.host}), which is not asked.`,
      )
    for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
      const response = await ask(url, init)
      const location = REDIRECTS.has(response.status) ? response.headers.get('location') : null
      if (location === null) return response
      await response.body?.cancel()
      const target = new URL(location, url)
      const fromEndpoint = url.origin === origin
      if (target.origin !== origin && !(fromEndpoint && isStore(target)))
        throw refused(
          `${url.origin} redirected to ${target.origin}`,
          `The hub ${endpoint} sends to another host (${target.host}) in a way that is not followed: only https, and only one step away.`,
        )
      url = target
    }
    throw refused(`more than ${MOST_REDIRECTS} redirects`, `The hub ${endpoint} redirects in circles.`)
  }
}
