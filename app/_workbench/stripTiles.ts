import type { Setup, StripMap } from '../_graphql/types.ts'

/** A layer of the strip: its map, or why there is none. */
export interface StripTile {
  readonly layer: string
  readonly label: string
  /** null where the method cannot be asked there. */
  readonly overlayUrl: string | null
  /** What there is to know about it: why there is no map, or what misleads in the one there is; '' for nothing. */
  readonly remark: string
}

/** The layers of a strip in network order: those that have a map, and those that no gradient reaches, which say so. */
export function stripTiles(taps: Setup['taps'], maps: readonly StripMap[]): readonly StripTile[] {
  const byLayer = new Map(maps.map((map) => [map.layer, map]))
  return taps.flatMap(({ id, label, kind, spatial, differentiable, reason }): readonly StripTile[] => {
    const map = byLayer.get(id)
    if (map?.attribution.__typename === 'ImageAttribution') {
      const warnings = map.diagnoses.filter(({ severity }) => severity === 'WARNING')
      const remark = warnings.map(({ message }) => message).join(' ')
      return [{ layer: id, label, overlayUrl: map.attribution.overlayUrl, remark }]
    }
    if (!spatial || differentiable || kind === 'input') return []
    return [{ layer: id, label, overlayUrl: null, remark: reason ?? 'No gradient reaches it.' }]
  })
}
