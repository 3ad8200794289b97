/**
 * Who may talk to this server. It listens on the loopback interface, but any page in the user's browser can send requests
 * there: by DNS rebinding (a foreign name that resolves to 127.0.0.1; seen by the Host header) or straight (seen by the
 * Origin header). An IP literal as Host cannot be rebound.
 */
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { IncomingMessage } from 'node:http'

export interface GuardOptions {
  /** What the server listens on. */
  readonly host: string
  /** Further names under which it may be reached. */
  readonly names: readonly string[]
}

/** The name in a Host header, without port and brackets, in lower case; null when it is none. */
function nameOf(host: string | undefined): string | null {
  const name = host?.match(/^(?:\[([0-9a-f:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/i)
  return (name?.[1] ?? name?.[2])?.toLowerCase() ?? null
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
}

/** @returns a function that says why a request is refused, or null when it is welcome */
export function createGuard({ host, names }: GuardOptions): (request: IncomingMessage) => string | null {
  const own = hostname().toLowerCase()
  const known = new Set([host, ...names].map((name) => name.toLowerCase()))
  const open = !isLoopback(host)
  if (open) for (const name of [own, `${own}.local`]) known.add(name)
  return ({ headers }) => {
    const name = nameOf(headers.host)
    if (name === null) return 'The request has no usable Host header.'
    if (!isLoopback(name) && !known.has(name) && !(open && isIP(name) !== 0))
      return `This Limelight is not called "${name}". Start it with --allow-host ${name} if it should be.`
    const { origin } = headers
    if (origin !== undefined && originHost(origin) !== headers.host?.toLowerCase())
      return 'Pages of other sites may not talk to this Limelight.'
    return null
  }
}

function originHost(origin: string): string | null {
  try {
    const url = new URL(origin)
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.host.toLowerCase() : null
  } catch {
    return null
  }
}
