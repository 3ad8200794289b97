/** Activation statistics as a PNG, a row of colours for each layer or input. Loads libvips; import it when it is needed. */
import { AppError } from '../../lib/errors.ts'
import { colourMapById, defaultColourMap } from '../../lib/render/colour-maps.ts'
import { renderHistograms } from '../../lib/render/histogram-picture.ts'
import { countsLike, histogramIn, together } from '../../lib/statistics/histogram.ts'
import { didYouMean, quoted } from '../../lib/suggest.ts'
import type { Parts } from '../parts.ts'
import { readCounts, statisticsIn } from './read-statistics.ts'
import type { StatisticsRow, StoredStatistics } from './statistics-store.ts'

export interface StatisticsPictureOptions {
  /** A row a layer, all inputs together; or a row an input, at one tap. */
  readonly rows: 'layers' | 'inputs'
  /** Of rows that are inputs; null: of the only tap there is. */
  readonly tap: string | null
  /** Of rows that are layers: each in its own bins over the whole width, or all in the same, by their values. */
  readonly scale: 'own' | 'common'
  /** null: the usual one. */
  readonly colormap: string | null
  /** Pixels along each side of a cell. */
  readonly cell: number
}

function layersIn({ taps }: StoredStatistics, scale: StatisticsPictureOptions['scale'], bins: number) {
  if (scale === 'own') return taps.map(({ histogram }) => histogram.counts)
  const each = taps.map(({ histogram, ...range }) => histogramIn(histogram, range))
  const common = together(each, bins)
  return each.map((one) => countsLike(one, common))
}

function placeOf({ taps }: StoredStatistics, asked: string | null): number {
  if (asked === null && taps.length === 1) return 0
  const ids = taps.map(({ id }) => id)
  const place = asked === null ? -1 : ids.indexOf(asked)
  if (place >= 0) return place
  throw new AppError({
    code: 'BAD_PARAMETER',
    message:
      asked === null
        ? `rows=inputs needs a tap: these statistics are of ${ids.length} of them.`
        : `These statistics are not of the tap ${quoted(asked)}.${didYouMean(asked, ids)}`,
    details: { parameter: 'tap', taps: ids },
  })
}

/** @throws AppError NOT_FOUND while they are not done, BAD_PARAMETER */
export async function renderStatistics(
  parts: Pick<Parts, 'prisma'>,
  row: StatisticsRow,
  { rows, tap, scale, colormap, cell }: StatisticsPictureOptions,
): Promise<Uint8Array> {
  const colourMap = colormap === null ? defaultColourMap(true) : colourMapById(colormap).id
  const found = statisticsIn(row)
  if (found === null)
    throw new AppError({
      code: 'NOT_FOUND',
      message: `These statistics have no picture: they are ${row.status.toLowerCase()}.`,
    })
  if (rows === 'layers') return renderHistograms({ rows: layersIn(found, scale, row.bins), colourMap, cell })
  const place = placeOf(found, tap)
  const counts = await readCounts(parts, row.id, found)
  return renderHistograms({ rows: counts[place] ?? [], colourMap, cell })
}
