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

export function everybody(players: number): Coalition {
  return new Uint8Array(players).fill(1)
}

export function nobody(players: number): Coalition {
  return new Uint8Array(players)
}

/** Who is not there. */
export function complementOf(coalition: Coalition): Coalition {
  return coalition.map((one) => 1 - one)
}

/** The coalitions one after another, [N, M], as a regression takes them. */
export function featuresOf(coalitions: readonly Coalition[], players: number): Float64Array {
  const features = new Float64Array(coalitions.length * players)
  coalitions.forEach((coalition, row) => features.set(coalition, row * players))
  return features
}
