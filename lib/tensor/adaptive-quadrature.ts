/**
 * The integral over [0, 1] of a function whose antiderivative is known at every point where it is computed: a gradient along a
 * path, and the score it is the gradient of. So the error of each part of the path is known, not estimated, and points go
 * where it is large.
 *
 * Simpson's rule on panels that are halved, as in Lyness 1969, Notes on the adaptive Simpson quadrature routine,
 * https://doi.org/10.1145/321526.321537, with the exact error in place of the estimate. Halving a panel uses its points again.
 */
export interface Samples<Point> {
  /** Computes some points, in order; each place is asked for once. */
  at(places: readonly number[]): Promise<readonly Point[]>
  /** The function there. */
  readonly integrand: (point: Point) => number
  /** Its antiderivative there, up to a constant. */
  antiderivative(point: Point): number
}

export interface Limits<Point> {
  /** How large the panels' errors may be together, given both ends. */
  readonly allowed: (start: Point, end: Point) => number
  /** Points computed at most, at least 9. */
  readonly mostPoints: number
  /** Points worth computing at once. */
  readonly batch: number
}

export interface WeightedPoint<Point> {
  readonly place: number
  /** Positive; all together 1. */
  readonly weight: number
  readonly point: Point
}

const FIRST_PANELS = 4
/** A halved panel has two points that its halves' middles add. */
const POINTS_A_HALVING = 2

interface Panel<Point> {
  readonly start: number
  readonly end: number
  /** At the start, the middle and the end. */
  readonly points: readonly [Point, Point, Point]
  /** Simpson's rule less the antiderivative's difference. */
  readonly error: number
}

/**
 * The points and weights of the integral, in order: sum of weight * integrand. Panels are halved, the worst first, until the sum of
 * their absolute errors is allowed; errors of opposite sign do not make up for each other. Ends early at `mostPoints`, and
 * where a value is not finite. The same samples give the same points.
 */
export async function adaptiveSimpson<Point>(
  samples: Samples<Point>,
  { allowed, mostPoints, batch }: Limits<Point>,
): Promise<readonly WeightedPoint<Point>[]> {
  const panel = (start: number, end: number, points: Panel<Point>['points']): Panel<Point> => {
    const [first, middle, last] = points.map(samples.integrand) as [number, number, number]
    const exact = samples.antiderivative(points[2]) - samples.antiderivative(points[0])
    return { start, end, points, error: ((end - start) * (first + 4 * middle + last)) / 6 - exact }
  }
  const places = Array.from({ length: 2 * FIRST_PANELS + 1 }, (_, index) => index / (2 * FIRST_PANELS))
  const first = await samples.at(places)
  let count = first.length
  let panels = Array.from({ length: FIRST_PANELS }, (_, index) =>
    panel(
      index / FIRST_PANELS,
      (index + 1) / FIRST_PANELS,
      first.slice(2 * index, 2 * index + 3) as [Point, Point, Point],
    ),
  )
  const bound = allowed(first[0] as Point, first[first.length - 1] as Point)
  for (;;) {
    const error = panels.reduce((sum, one) => sum + Math.abs(one.error), 0)
    const affordable = Math.floor((mostPoints - count) / POINTS_A_HALVING)
    if (error <= bound || affordable < 1 || !Number.isFinite(error)) return weighted(panels)
    const halvings = Math.min(affordable, Math.max(1, Math.floor(batch / POINTS_A_HALVING)))
    const worst = panels.toSorted((a, b) => Math.abs(b.error) - Math.abs(a.error)).slice(0, halvings)
    const middles = await samples.at(worst.flatMap(({ start, end }) => [(3 * start + end) / 4, (start + 3 * end) / 4]))
    count += middles.length
    panels = panels.flatMap((one) => {
      const index = worst.indexOf(one)
      if (index < 0) return [one]
      const { start, end, points } = one
      const [left, right] = middles.slice(POINTS_A_HALVING * index) as [Point, Point]
      const middle = (start + end) / 2
      return [panel(start, middle, [points[0], left, points[1]]), panel(middle, end, [points[1], right, points[2]])]
    })
  }
}

/** Simpson's weights, those of a point between two panels added up. */
function weighted<Point>(panels: readonly Panel<Point>[]): readonly WeightedPoint<Point>[] {
  const found = new Map<number, WeightedPoint<Point>>()
  for (const { start, end, points } of panels)
    for (const [index, point] of points.entries()) {
      const place = start + ((end - start) * index) / 2
      const weight = ((end - start) * (index === 1 ? 4 : 1)) / 6
      found.set(place, { place, weight: weight + (found.get(place)?.weight ?? 0), point })
    }
  return [...found.values()].toSorted((a, b) => a.place - b.place)
}
