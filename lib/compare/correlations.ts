/**
 * How alike the attributions of several methods on one input rank its parts: Spearman's correlation of each pair, of the signed
 * numbers and of their sizes (Adebayo et al. 2018, 1810.03292, tell both).
 *
 * Maps of two resolutions meet at the coarser one, where each cell has the mean of what it covers: a coarse map says one thing
 * of a whole cell, and to enlarge it would be to rank numbers that no method gave.
 *
 * Letters: H x W extent of a map, T tokens.
 */
import { ranksOf, pearson } from '../metrics/shared/statistics.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'

/** Of the pair at these two places. */
export interface Correlation {
  readonly first: number
  readonly second: number
  /** null where one of the two is constant, or there are fewer than two parts. */
  readonly signed: number | null
  /** Of absolute values. */
  readonly absolute: number | null
  /** Parts of the input that were ranked: cells or tokens. */
  readonly parts: number
}

/** For each of `cells` equal cells along an axis, the first element that it covers and the share that each has in its mean. */
function sharesOf(
  size: number,
  cells: number,
): readonly { readonly first: number; readonly shares: readonly number[] }[] {
  const width = size / cells
  return Array.from({ length: cells }, (_, cell) => {
    // In whole numbers, so that cells which divide the axis evenly cover whole elements.
    const [from, to] = [(cell * size) / cells, ((cell + 1) * size) / cells]
    const first = Math.floor(from)
    const count = Math.min(size, Math.ceil(to)) - first
    const covered = (at: number): number => Math.min(to, at + 1) - Math.max(from, at)
    return { first, shares: Array.from({ length: count }, (_unused, at) => covered(first + at) / width) }
  })
}

/** Means over the cells of a coarser grid. @param map [H, W]; @returns [height, width] in double precision */
export function cellMeans({ dims, data }: FloatTensor, height: number, width: number): Float64Array {
  const [rows = 1, columns = 1] = dims
  if (rows === height && columns === width) return Float64Array.from(data)
  const [down, across] = [sharesOf(rows, height), sharesOf(columns, width)]
  const means = new Float64Array(height * width)
  down.forEach((vertical, y) => {
    across.forEach((horizontal, x) => {
      let mean = 0
      vertical.shares.forEach((v, row) => {
        horizontal.shares.forEach((h, column) => {
          mean += v * h * (data[(vertical.first + row) * columns + horizontal.first + column] ?? Number.NaN)
        })
      })
      means[y * width + x] = mean
    })
  })
  return means
}

const sizes = ({ dims, data }: FloatTensor): FloatTensor => float32(data.map(Math.abs), dims)

/**
 * Each pair of attributions, in the order of their places.
 * @param attributions all [H, W], whatever their resolutions, or all [T] of the same tokens
 */
export function correlationsOf(attributions: readonly FloatTensor[]): readonly Correlation[] {
  const grids = attributions.map(({ dims }) => (dims.length === 2 ? dims : [1, ...dims]))
  const ranked = new Map<string, Float64Array>()
  /** Made once for each resolution that a map is compared at. */
  const ranks = (at: number, height: number, width: number, absolute: boolean): Float64Array => {
    const key = [at, height, width, absolute].join()
    let known = ranked.get(key)
    if (known === undefined) {
      const { data } = attributions[at] ?? float32([], [0])
      const tensor = float32(data, grids[at] ?? [0, 0])
      ranked.set(key, (known = ranksOf(cellMeans(absolute ? sizes(tensor) : tensor, height, width))))
    }
    return known
  }
  const pairs = attributions.flatMap((_, second) => Array.from({ length: second }, (_unused, first) => [first, second]))
  return pairs.map(([first = 0, second = 0]) => {
    const [height = 0, width = 0] = [0, 1].map((axis) =>
      Math.min(grids[first]?.[axis] ?? 0, grids[second]?.[axis] ?? 0),
    )
    const of = (absolute: boolean): number | null =>
      height * width < 2 ? null : pearson(ranks(first, height, width, absolute), ranks(second, height, width, absolute))
    return { first, second, signed: of(false), absolute: of(true), parts: height * width }
  })
}
