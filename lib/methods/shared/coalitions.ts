/**
 * An input as a game: its parts (words, superpixels) are players, and a coalition is worth what the model says where only
 * they are there. What LIME, KernelSHAP and Owen values have in common.
 *
 * Letters: M players, S a coalition, v(S) its worth.
 */

/** 1 for each player that is there, 0 for each that is not, [M]. */
export type Coalition = Uint8Array

export interface Game {
  /** M */
  readonly players: number
  /** v of each coalition, in their order; `progress` hears the share that is done. */
  worths(coalitions: readonly Coalition[], progress: (share: number) => void): Promise<Float64Array>
}

/** A text that two coalitions share only where they are the same. */
export function keyOfCoalition(coalition: Coalition): string {
  return Buffer.from(coalition).toString('latin1')
}

export function nobody(players: number): Coalition {
  return new Uint8Array(players)
}

/** Who is not there. */
export function complementOf(coalition: Coalition): Coalition {
  return coalition.map((one) => 1 - one)
}

/** In place of a row: everybody is there, whose worth is that of the input itself. */
export const EVERYBODY = -1

/** Each coalition once, but for everybody, in order of first appearance; and which of them each one is. */
export function distinctOf(coalitions: readonly Coalition[]): {
  readonly distinct: readonly Coalition[]
  readonly rowOf: readonly number[]
} {
  const rows = new Map<string, number>()
  const distinct: Coalition[] = []
  const rowOf = coalitions.map((coalition) => {
    if (coalition.every((one) => one === 1)) return EVERYBODY
    const key = keyOfCoalition(coalition)
    const known = rows.get(key)
    if (known !== undefined) return known
    rows.set(key, distinct.length)
    return distinct.push(coalition) - 1
  })
  return { distinct, rowOf }
}

/** The coalitions one after another, [N, M], as a regression takes them. */
export function featuresOf(coalitions: readonly Coalition[], players: number): Float64Array {
  const features = new Float64Array(coalitions.length * players)
  coalitions.forEach((coalition, row) => features.set(coalition, row * players))
  return features
}
