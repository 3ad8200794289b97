/**
 * A picture with its smallest value at `low` and its largest, of any channel, at `high`, so that what a segmentation is told
 * means the same for a dim picture; one of a single value lies at `low`.
 */
export function stretched(rgb: ArrayLike<number>, low: number, high: number): Float64Array {
  const values = Float64Array.from(rgb)
  let [least, most] = [Infinity, -Infinity]
  for (const value of values) {
    least = Math.min(least, value)
    most = Math.max(most, value)
  }
  const range = most > least ? most - least : 1
  return values.map((value) => ((value - least) / range) * (high - low) + low)
}
