/**
 * Many histograms as one picture, a row each ("the colourful dimension", S. Gugger and J. Howard, fastai): the colour of a bin
 * is log(1 + count), from none to the most there is in the picture, so that what is rare is seen beside what is common.
 *
 * Letters: R rows, B bins.
 */
import sharp from 'sharp'
import { AppError } from '../errors.ts'
import { COLOUR_MAPS, type ColourMapId } from './colour-maps.ts'
import { tableRow } from './picture.ts'

export interface HistogramPicture {
  /** Counts, lowest bin first; rows may have other numbers of bins, and are as wide all the same. */
  readonly rows: readonly ArrayLike<number>[]
  readonly colourMap: ColourMapId
  /** Pixels along each side of a cell. */
  readonly cell: number
}

const MOST_PIXELS = 2 ** 24

function largest(rows: HistogramPicture['rows']): number {
  let most = 0
  for (const row of rows) for (let at = 0; at < row.length; at += 1) most = Math.max(most, row[at] ?? 0)
  return most
}

/**
 * @returns RGB, [R, B, 3], B the bins of the row that has most: a row that has fewer shows each of them in several cells
 */
export function histogramPixels({ rows, colourMap }: Pick<HistogramPicture, 'rows' | 'colourMap'>): {
  readonly width: number
  readonly height: number
  readonly rgb: Uint8Array
} {
  const { table, kind } = COLOUR_MAPS[colourMap]
  const width = Math.max(1, ...rows.map((row) => row.length))
  const most = Math.log1p(largest(rows))
  const rgb = new Uint8Array(rows.length * width * 3)
  for (const [at, row] of rows.entries())
    for (let column = 0; column < width; column += 1) {
      const count = row[Math.floor((column * row.length) / width)] ?? 0
      const colour = tableRow(most === 0 ? 0 : Math.log1p(count) / most, kind, true) * 3
      rgb.set(table.subarray(colour, colour + 3), (at * width + column) * 3)
    }
  return { width, height: rows.length, rgb }
}

/** @returns PNG, B * cell by R * cell pixels @throws AppError BAD_PARAMETER for one of more than 2^24 pixels */
export async function renderHistograms({ cell, ...picture }: HistogramPicture): Promise<Uint8Array> {
  const { width, height, rgb } = histogramPixels(picture)
  const pixels = width * height * cell ** 2
  if (pixels > MOST_PIXELS)
    throw new AppError({
      code: 'BAD_PARAMETER',
      message: `${height} rows of ${width} cells of ${cell} pixels a side are ${pixels} pixels; at most ${MOST_PIXELS} are drawn. Ask for a smaller cell.`,
      details: { parameter: 'cell', found: cell },
    })
  const enlarged = sharp(rgb, { raw: { width, height, channels: 3 } }).resize(width * cell, height * cell, {
    kernel: 'nearest',
    fit: 'fill',
  })
  return new Uint8Array(await enlarged.png().toBuffer())
}
