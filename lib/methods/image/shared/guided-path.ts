/**
 * The path of Guided IG: at every step the numbers of the picture with the smallest gradients go first, within a band around the
 * straight path.
 *
 * Kapishnikov et al. 2021, https://arxiv.org/abs/2106.09788, algorithm 1 and section 4.1 (anchored by a band instead of by
 * anchors), as the authors' own code has it (PAIR saliency 0.2.1, guided_ig.py). Distances are L1.
 */
export interface GuidedPath {
  /** Steps of equal L1 distance. */
  readonly steps: number
  /** Share of the numbers that move at a time, those with the smallest gradients. */
  readonly fraction: number
  /** How far a number may be from the straight path, as a share of its way, 0..1. */
  readonly band: number
}

/** Distances that count as equal, relative and absolute, as in the authors' code. */
const CLOSE = 1e-9
const isClose = (a: number, b: number): boolean =>
  Math.abs(a - b) <= Math.max(CLOSE * Math.max(Math.abs(a), Math.abs(b)), CLOSE)

/** The value below which a share of all lie, the lower of two; infinite ones are the largest. */
function quantile(sizes: Float64Array, share: number): number {
  return sizes.toSorted()[Math.floor(share * (sizes.length - 1))] ?? Infinity
}

/** One step: moves `at` until its distance to the picture is `left`, and adds what each number's move times its gradient is. */
function moveOn(
  at: Float64Array,
  ends: { readonly from: ArrayLike<number>; readonly to: ArrayLike<number> },
  slope: ArrayLike<number>,
  { alpha, left, band, fraction }: { alpha: number; left: number; band: number; fraction: number },
  scores: Float64Array,
): void {
  const count = at.length
  const [low, high] = [Math.max(alpha - band, 0), Math.min(alpha + band, 1)]
  const along = (i: number, share: number): number => {
    const from = ends.from[i] as number
    return from + ((ends.to[i] as number) - from) * share
  }
  const move = (i: number, to: number): void => {
    scores[i] = (scores[i] as number) + (to - (at[i] as number)) * (slope[i] as number)
    at[i] = to
  }
  const sizes = Float64Array.from({ length: count }, (_, i) => Math.abs(slope[i] as number))
  for (;;) {
    let distance = 0
    for (let i = 0; i < count; i += 1) {
      const [from, to] = [ends.from[i] as number, ends.to[i] as number]
      // Numbers that fell behind the band are brought to its edge.
      if (to !== from && ((at[i] as number) - from) / (to - from) < low) move(i, along(i, low))
      distance += Math.abs((at[i] as number) - to)
    }
    if (isClose(left, distance)) return
    // What has reached the far edge of the band waits.
    for (let i = 0; i < count; i += 1) if (at[i] === along(i, high)) sizes[i] = Infinity
    const threshold = quantile(sizes, fraction)
    const chosen = (i: number): boolean => (sizes[i] as number) <= threshold && sizes[i] !== Infinity
    let reach = 0
    for (let i = 0; i < count; i += 1) if (chosen(i)) reach += Math.abs((at[i] as number) - along(i, high))
    const needed = reach > 0 ? (distance - left) / reach : Infinity
    for (let i = 0; i < count; i += 1)
      if (chosen(i)) {
        const edge = along(i, high)
        // From where it is towards the edge, or all the way and then on with others.
        move(i, needed > 1 ? edge : (at[i] as number) + (edge - (at[i] as number)) * needed)
      }
    if (needed <= 1 || threshold === Infinity) return
  }
}

/**
 * Walks from a baseline to a picture.
 * @param gradientAt at a point, both of the picture's size; asked once a step
 * @returns the sum of move times gradient of each number
 */
export async function walkGuided(
  baseline: ArrayLike<number>,
  picture: ArrayLike<number>,
  { steps, fraction, band }: GuidedPath,
  gradientAt: (point: Float32Array, step: number) => Promise<ArrayLike<number>>,
): Promise<Float64Array> {
  const at = Float64Array.from(baseline)
  const scores = new Float64Array(at.length)
  const total = at.reduce((sum, one, i) => sum + Math.abs((picture[i] as number) - one), 0)
  if (total === 0) return scores
  for (let step = 0; step < steps; step += 1) {
    const slope = await gradientAt(Float32Array.from(at), step)
    const alpha = (step + 1) / steps
    moveOn(at, { from: baseline, to: picture }, slope, { alpha, left: total * (1 - alpha), band, fraction }, scores)
  }
  return scores
}
