/** Query parameters: every one known, given once, and of the few values that it may have. */
import { AppError } from '../../lib/errors.ts'
import { didYouMean, quoted } from '../../lib/suggest.ts'

function bad(name: string, found: string, allowed: string): AppError {
  return new AppError({
    code: 'BAD_PARAMETER',
    message: `${name} is ${quoted(found)}; it must be ${allowed}.`,
    details: { parameter: name, found },
  })
}

/** What was given of some names. @throws AppError BAD_PARAMETER for another name, or one given twice */
export function givenIn<Name extends string>(
  query: Readonly<Record<string, unknown>>,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const given: Partial<Record<Name, string>> = {}
  for (const [key, value] of Object.entries(query)) {
    const name = names.find((one) => one === key)
    if (name === undefined || typeof value !== 'string')
      throw new AppError({
        code: 'BAD_PARAMETER',
        message: `There is no parameter ${quoted(key)}, or it was given twice.${didYouMean(key, names)} There are ${names.join(', ')}.`,
        details: { parameter: key },
      })
    given[name] = value
  }
  return given
}

/** @throws AppError BAD_PARAMETER */
export function oneOf<T extends string>(name: string, found: string, allowed: readonly T[]): T {
  const value = allowed.find((one) => one === found)
  if (value !== undefined) return value
  throw bad(name, found, allowed.join(' or '))
}

/** 0..1 @throws AppError BAD_PARAMETER */
export function fraction(name: string, found: string): number {
  const value = Number(found)
  if (found.trim() !== '' && value >= 0 && value <= 1) return value
  throw bad(name, found, 'a number from 0 to 1')
}

/** @throws AppError BAD_PARAMETER */
export function wholeNumber(name: string, found: string, least: number, most: number, allowed: string): number {
  const value = Number(found)
  if (/^\d+$/.test(found) && value >= least && value <= most) return value
  throw bad(name, found, allowed)
}
