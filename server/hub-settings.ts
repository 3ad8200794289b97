/** Where models are fetched from and kept, as Python's huggingface_hub reads it from the environment. */
import { join, resolve } from 'node:path'
import { AppError } from '../lib/errors.ts'
import type { HubSettings } from '../lib/hub/settings.ts'

const ENDPOINT = 'https://huggingface.co'
const MOST_MEGABYTES = 4096
const YES = /^(1|on|yes|true)$/i

const set = (value: string | undefined): string | undefined => (value === undefined || value === '' ? undefined : value)

function endpointOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '') return text.replace(/\/+$/, '')
  throw new AppError({
    code: 'BAD_INPUT',
    message: `HF_ENDPOINT is "${text}"; it must be the address of a hub or a mirror, such as ${ENDPOINT}.`,
  })
}

function megabytes(text: string | undefined): number {
  const value = Number(text ?? MOST_MEGABYTES)
  if (Number.isInteger(value) && value > 0) return value
  throw new AppError({
    code: 'BAD_INPUT',
    message: `LIMELIGHT_IMPORT_MB is "${text}"; it must be a whole number of megabytes.`,
  })
}

/**
 * HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE; the cache by HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, in this
 * order; LIMELIGHT_IMPORT_MB for the most bytes of one model.
 * @param home the user's home folder
 * @throws AppError BAD_INPUT naming the variable
 */
export function hubSettings(env: Readonly<Record<string, string | undefined>>, home: string): HubSettings {
  const caches = set(env['XDG_CACHE_HOME']) ?? join(home, '.cache')
  const hubHome = set(env['HF_HOME']) ?? join(caches, 'huggingface')
  return {
    endpoint: endpointOf(set(env['HF_ENDPOINT']) ?? ENDPOINT),
    token: set(env['HF_TOKEN']) ?? null,
    cacheFolder: resolve(set(env['HF_HUB_CACHE']) ?? set(env['HUGGINGFACE_HUB_CACHE']) ?? join(hubHome, 'hub')),
    offline: YES.test(env['HF_HUB_OFFLINE'] ?? ''),
    maxBytes: megabytes(set(env['LIMELIGHT_IMPORT_MB'])) * 1e6,
  }
}
