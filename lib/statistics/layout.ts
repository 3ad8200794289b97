/** Which axis of a tap counts its channels. */
import type { Tap } from '../engine/model.ts'

/**
 * 'maps' [N, C, H, W]: feature maps. 'tokens' [N, T, E]: features of the embedding. 'heads' [N, heads, T, T]: attention
 * weights. 'features' [N, K] and whatever else has channels behind its rows. 'whole': no axis whose extent is known, so all
 * values are one channel.
 */
export const LAYOUTS = ['maps', 'tokens', 'heads', 'features', 'whole'] as const

export interface ChannelLayout {
  readonly kind: (typeof LAYOUTS)[number]
  /** null for 'whole'. */
  readonly axis: number | null
}

const WHOLE: ChannelLayout = { kind: 'whole', axis: null }

function stated({ shape, spatial, looksAt, kind }: Tap, seenAsMap: boolean): ChannelLayout {
  const last = shape.length - 1
  if (last < 1) return WHOLE
  if (spatial) return { kind: 'maps', axis: 1 }
  if (looksAt !== undefined || (kind === 'attention' && last === 3)) return { kind: 'heads', axis: 1 }
  if (last === 2) return { kind: 'tokens', axis: 2 }
  // Channels last, as the map of the same tensor shows, or as [N, 1, 1, C] has no other.
  if (last === 3 && (seenAsMap || (shape[1] === 1 && shape[2] === 1))) return { kind: 'maps', axis: last }
  return { kind: 'features', axis: 1 }
}

/** @param taps of the same model: one of them may be a map of this one */
export function layoutOf(tap: Tap, taps: readonly Tap[]): ChannelLayout {
  const layout = stated(
    tap,
    taps.some((other) => other.mapOf === tap.id),
  )
  // As many as the input is long (a mask over tokens): what is a channel there is none in the next input.
  return layout.axis === null || tap.shape[layout.axis] === null ? WHOLE : layout
}
