/** The geometry of a curve's chart, and a point of it in words. */
import type { Curve } from '../_graphql/types.ts'
import { percent, significant } from '../_run/format.ts'

/** In the chart's own units; y grows downwards. */
export interface Frame {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** 0 to 1 where all lie in it, so that charts of probabilities compare; else what there is. */
export function valueRange(values: readonly number[]): readonly [number, number] {
  const low = Math.min(...values)
  const high = Math.max(...values)
  if (low >= 0 && high <= 1) return [0, 1]
  return high > low ? [low, high] : [low - 0.5, high + 0.5]
}

export function pathOf(
  { share, value }: Curve,
  { left, right, top, bottom }: Frame,
  { low, high }: { readonly low: number; readonly high: number },
): string {
  const points = share.map((at, point) => {
    const x = left + at * (right - left)
    const y = bottom - (((value[point] ?? low) - low) / (high - low)) * (bottom - top)
    return `${x.toFixed(1)} ${y.toFixed(1)}`
  })
  return `M${points.join(' L')}`
}

/** Index of the point whose share is nearest. */
export function nearestPoint(shares: readonly number[], share: number): number {
  return shares.reduce(
    (best, at, point) => (Math.abs(at - share) < Math.abs((shares[best] ?? Infinity) - share) ? point : best),
    0,
  )
}

/** Indices of the points to read, one a share: in a short text several sizes of a rationale are the same few tokens. */
export function stopsOf(shares: readonly number[]): readonly number[] {
  return shares.flatMap((share, point) => (point > 0 && share === shares[point - 1] ? [] : [point]))
}

/** For example "At 25.0 %: probability 0.42, random 0.71". */
export function pointInWords({ share, value }: Curve, random: Curve | null, point: number, y: string): string {
  const at = share[point] ?? 0
  const other = random?.value[nearestPoint(random.share, at)]
  return `At ${percent(at)}: ${y} ${significant(value[point] ?? 0)}${
    other === undefined ? '' : `, random ${significant(other)}`
  }`
}
