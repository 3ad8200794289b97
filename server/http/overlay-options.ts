/** The query parameters of overlay.png. */
import { AppError } from '../../lib/errors.ts'
import type { OverlayOptions } from '../services/render-overlay.ts'
import { didYouMean, quoted } from '../../lib/suggest.ts'

const NAMES = ['colormap', 'opacity', 'rectify', 'view', 'map', 'size'] as const
type Name = (typeof NAMES)[number]

function bad(name: Name, found: string, allowed: string): AppError {
  return new AppError({
    code: 'BAD_PARAMETER',
    message: `${name} is ${quoted(found)}; it must be ${allowed}.`,
    details: { parameter: name, found },
  })
}

function oneOf<T extends string>(name: Name, found: string, allowed: readonly T[]): T {
  const value = allowed.find((one) => one === found)
  if (value !== undefined) return value
  throw bad(name, found, allowed.join(' or '))
}

function fraction(name: Name, found: string): number {
  const value = Number(found)
  if (found.trim() !== '' && value >= 0 && value <= 1) return value
  throw bad(name, found, 'a number from 0 to 1')
}

/** Sides of a thumbnail, in pixels. */
const SIZES = [16, 2048] as const

function wholeNumber(name: Name, found: string, least: number, most: number, allowed: string): number {
  const value = Number(found)
  if (/^\d+$/.test(found) && value >= least && value <= most) return value
  throw bad(name, found, allowed)
}

/** Which of a run's maps an address names, by its place among them. @throws AppError BAD_PARAMETER */
export function mapIn(found: unknown): number {
  if (found === undefined) return 0
  return wholeNumber('map', String(found), 0, 2 ** 31 - 1, "the place of a map among the run's, from 0")
}

/** Colour map ids are checked where they are known, in lib/render. @throws AppError BAD_PARAMETER */
export function overlayOptions(query: Readonly<Record<string, unknown>>): OverlayOptions {
  const given: Partial<Record<Name, string>> = {}
  for (const [key, value] of Object.entries(query)) {
    const name = NAMES.find((one) => one === key)
    if (name === undefined || typeof value !== 'string')
      throw new AppError({
        code: 'BAD_PARAMETER',
        message: `There is no parameter ${quoted(key)}, or it was given twice.${didYouMean(key, NAMES)} There are ${NAMES.join(', ')}.`,
        details: { parameter: key },
      })
    given[name] = value
  }
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
