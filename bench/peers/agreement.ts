/** Both sides of a comparison must have computed the same thing. */

/** |ours - theirs| / |theirs|, Euclidean. */
export function relativeDistance(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  if (ours.length !== theirs.length) throw new Error(`${ours.length} values of ours, ${theirs.length} of theirs`)
  let distance = 0
  let size = 0
  for (let at = 0; at < ours.length; at++) {
    const [a, b] = [ours[at] ?? NaN, theirs[at] ?? NaN]
    distance += (a - b) ** 2
    size += b ** 2
  }
  return Math.sqrt(distance / size)
}

/** @throws Error where the two are further apart than `bound`: then their times are not worth comparing. */
export function agree(what: string, ours: ArrayLike<number>, theirs: ArrayLike<number>, bound: number): number {
  const distance = relativeDistance(ours, theirs)
  if (distance <= bound) return distance
  throw new Error(`${what}: ours and the peer's answers differ by ${distance.toExponential(1)}, more than ${bound}`)
}
