/**
 * Histograms of values that arrive a tensor at a time and whose range nobody knows beforehand. The width of a bin is a power of
 * two and every edge a multiple of it, so that zero is always an edge (the negative are apart), and that two bins become one of
 * twice the width without asking any value again. So the counts are exact, and what a histogram is in the end depends on the
 * values alone: not on their order, nor on how they were cut into tensors.
 */
import { AppError } from '../errors.ts'

/** Bin i holds the values v with (first + i) width <= v < (first + i + 1) width. */
export interface Histogram {
  /** A power of two. */
  readonly width: number
  /** Edges lie at its multiples: the lowest at first * width. */
  readonly first: number
  readonly counts: Float64Array
  readonly least: number
  readonly largest: number
}

/** Binary digits of a float32: a narrower bin would hold a single number. */
const DIGITS = 23

function fits(width: number, least: number, largest: number, most: number): boolean {
  return Math.floor(largest / width) - Math.floor(least / width) < most
}

/**
 * The smallest power of two by which at most `most` bins hold all values from `least` to `largest`. It never falls where the
 * range grows, but from nothing but zeros (1): what was counted in narrower bins can always be counted in these.
 */
function widthFor(least: number, largest: number, most: number): number {
  const extent = Math.max(Math.abs(least), Math.abs(largest))
  if (extent === 0) return 1
  const resolution = 2 ** (Math.floor(Math.log2(extent)) - DIGITS)
  const spread = (largest - least) / most
  // One step below what the spread says: the logarithm may be off by one.
  const narrowest = spread === 0 ? resolution : 2 ** (Math.floor(Math.log2(spread)) - 1)
  let width = Math.max(resolution, narrowest)
  while (!fits(width, least, largest, most)) width *= 2
  return width
}

/**
 * The same values in bins of a larger width, from `first` on.
 * @param width a power of two, at least the histogram's own; of nothing but zeros any, for they begin bin 0 of every width
 */
function inBins({ width: own, first: ownFirst, counts }: Histogram, width: number, first: number, into: Float64Array) {
  const ratio = own / width
  counts.forEach((count, at) => {
    const bin = Math.floor((ownFirst + at) * ratio) - first
    into[bin] = (into[bin] ?? 0) + count
  })
}

/**
 * @param values finite
 * @param most bins at most; 2 at least, for the negative have one of their own
 * @throws AppError BAD_PARAMETER for fewer than 2 bins
 */
export function histogramOf(values: Float32Array, most: number): Histogram {
  if (!Number.isInteger(most) || most < 2)
    throw new AppError({ code: 'BAD_PARAMETER', message: `A histogram needs 2 bins or more, not ${most}.` })
  let least = Infinity
  let largest = -Infinity
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] ?? Number.NaN
    if (value < least) least = value
    if (value > largest) largest = value
  }
  if (values.length === 0) return { width: 1, first: 0, counts: new Float64Array(1), least: 0, largest: 0 }
  const width = widthFor(least, largest, most)
  const first = Math.floor(least / width)
  const counts = new Float64Array(Math.floor(largest / width) - first + 1)
  // Exact, as the width is: a power of two has an inverse.
  const perValue = 1 / width
  for (let at = 0; at < values.length; at += 1) {
    const bin = Math.floor((values[at] ?? Number.NaN) * perValue) - first
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return { width, first, counts, least, largest }
}

/**
 * All of them together.
 * @param histograms one at least, each of at most `most` bins
 */
export function together(histograms: readonly Histogram[], most: number): Histogram {
  const least = Math.min(...histograms.map((one) => one.least))
  const largest = Math.max(...histograms.map((one) => one.largest))
  const width = widthFor(least, largest, most)
  const first = Math.floor(least / width)
  const counts = new Float64Array(Math.floor(largest / width) - first + 1)
  for (const one of histograms) inBins(one, width, first, counts)
  return { width, first, counts, least, largest }
}

/** How many of its values each bin of `like` holds. @param like of a width at least its own, and a range that holds its own */
export function countsLike(one: Histogram, like: Pick<Histogram, 'width' | 'first' | 'counts'>): Float64Array {
  const counts = new Float64Array(like.counts.length)
  inBins(one, like.width, like.first, counts)
  return counts
}

/** The edges of its bins, one more than there are. */
export function edgesOf({ width, first, counts }: Pick<Histogram, 'width' | 'first' | 'counts'>): number[] {
  return Array.from({ length: counts.length + 1 }, (_, at) => (first + at) * width)
}

/** A histogram as it is told, and the range of its values, back in the form that goes {@link together} with others. */
export function histogramIn(
  { edges, counts }: { readonly edges: readonly number[]; readonly counts: readonly number[] },
  { least, largest }: Pick<Histogram, 'least' | 'largest'>,
): Histogram {
  const [low = 0, next = 1] = edges
  const width = next - low
  return { width, first: low / width, counts: Float64Array.from(counts), least, largest }
}
