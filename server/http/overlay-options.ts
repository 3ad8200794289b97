/** The query parameters of overlay.png. */
import type { OverlayOptions } from '../services/render-overlay.ts'
import { fraction, givenIn, oneOf, wholeNumber } from './query.ts'

const NAMES = ['colormap', 'opacity', 'rectify', 'view', 'map', 'size'] as const

/** Sides of a thumbnail, in pixels. */
const SIZES = [16, 2048] as const

/** Which of a run's maps an address names, by its place among them. @throws AppError BAD_PARAMETER */
export function mapIn(found: unknown): number {
  if (found === undefined) return 0
  return wholeNumber(
    'map',
    typeof found === 'string' ? found : JSON.stringify(found),
    0,
    2 ** 31 - 1,
    "the place of a map among the run's, from 0",
  )
}

/** Colour map ids are checked where they are known, in lib/render. @throws AppError BAD_PARAMETER */
export function overlayOptions(query: Readonly<Record<string, unknown>>): OverlayOptions {
  const given = givenIn(query, NAMES)
  return {
    colormap: given.colormap ?? null,
    opacity: given.opacity === undefined ? null : fraction('opacity', given.opacity),
    rectify: oneOf('rectify', given.rectify ?? 'true', ['true', 'false']) === 'true',
    view: oneOf('view', given.view ?? 'overlay', ['overlay', 'heat']),
    map: mapIn(given.map),
    size:
      given.size === undefined
        ? null
        : wholeNumber('size', given.size, ...SIZES, `a whole number of pixels from ${SIZES[0]} to ${SIZES[1]}`),
  }
}
