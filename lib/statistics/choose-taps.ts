/** The taps that statistics are asked of. */
import { AppError } from '../errors.ts'
import type { Tap } from '../engine/model.ts'
import { didYouMean, listed, quoted } from '../suggest.ts'

/** Taps of one question for statistics. */
export const MOST_TAPS = 64

/** What a layer computes, without the reshapes and slices between layers, and without a tensor that is there as a map too. */
function isLayer({ kind, mapOf }: Tap): boolean {
  return kind !== 'input' && kind !== 'other' && mapOf === undefined
}

/**
 * @param named tap ids; null: every layer, of more than {@link MOST_TAPS} as many at even distances, the first and the last
 *   among them
 * @returns in network order, each once
 * @throws AppError UNKNOWN_LAYER, BAD_INPUT for none or too many
 */
export function chooseTaps(taps: readonly Tap[], named: readonly string[] | null): readonly Tap[] {
  if (named === null) {
    const layers = taps.filter(isLayer)
    const shown = layers.length > 0 ? layers : taps.filter(({ kind }) => kind !== 'input')
    if (shown.length <= MOST_TAPS) return shown
    const kept = new Set(Array.from({ length: MOST_TAPS }, (_, at) => Math.round((at * (shown.length - 1)) / (MOST_TAPS - 1)))) // prettier-ignore
    return shown.filter((_, at) => kept.has(at))
  }
  if (named.length === 0 || named.length > MOST_TAPS)
    throw new AppError({
      code: 'BAD_INPUT',
      message: `Name 1 to ${MOST_TAPS} taps, not ${named.length}, or leave them out for every layer.`,
      details: { taps: named.length, limit: MOST_TAPS },
    })
  const ids = taps.map(({ id }) => id)
  const unknown = named.find((id) => !ids.includes(id))
  if (unknown !== undefined)
    throw new AppError({
      code: 'UNKNOWN_LAYER',
      message: `The model has no layer ${quoted(unknown)}.${didYouMean(unknown, ids)} Its layers are ${listed(ids)}.`,
      details: { layer: unknown, layers: ids },
    })
  return taps.filter(({ id }) => named.includes(id))
}
