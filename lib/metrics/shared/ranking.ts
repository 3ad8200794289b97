/** The order in which an attribution says that parts of the input count. */

/** Positions by falling score; equal ones keep their order of position, so that the order is the same everywhere. */
export function byFallingScore(scores: ArrayLike<number>): Uint32Array {
  const order = Uint32Array.from({ length: scores.length }, (_, at) => at)
  return order.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b)
}
