/** The query parameters of colourful-dimension.png. */
import type { StatisticsPictureOptions } from '../services/render-statistics.ts'
import { givenIn, oneOf, wholeNumber } from './query.ts'

const NAMES = ['rows', 'tap', 'scale', 'colormap', 'cell'] as const
/** Sides of a cell, in pixels. */
const CELLS = [1, 32] as const
const USUAL_CELL = '8'

/** Taps and colour maps are checked where they are known. @throws AppError BAD_PARAMETER */
export function statisticsOptions(query: Readonly<Record<string, unknown>>): StatisticsPictureOptions {
  const given = givenIn(query, NAMES)
  const [least, most] = CELLS
  return {
    rows: oneOf('rows', given.rows ?? 'layers', ['layers', 'inputs']),
    tap: given.tap ?? null,
    scale: oneOf('scale', given.scale ?? 'own', ['own', 'common']),
    colormap: given.colormap ?? null,
    cell: wholeNumber(
      'cell',
      given.cell ?? USUAL_CELL,
      least,
      most,
      `a whole number of pixels from ${least} to ${most}`,
    ),
  }
}
