/** How a map is shown, and in which colours. */
import type { ColourMap } from '../_graphql/types.ts'

/** None of it touches the stored values. */
export interface MapDisplay {
  /** 0..1 */
  readonly opacity: number
  readonly visible: boolean
  /** The chosen colour map of each kind, so that switching between them keeps both choices; null: the server's. */
  readonly chosen: Readonly<Record<ColourMap['kind'], string | null>>
  /** Only the evidence for the class. */
  readonly rectified: boolean
}

/** Evidence for the class only grows from zero; evidence on both sides has zero in the middle. */
export function kindOf({ rectified }: MapDisplay): ColourMap['kind'] {
  return rectified ? 'SEQUENTIAL' : 'DIVERGING'
}

/** The id of the colour map that was chosen for what is shown; null: the server's. */
export function chosenColours(display: MapDisplay): string | null {
  return display.chosen[kindOf(display)]
}

/** The first of a kind is the one that the server takes when none is named. */
export function fittingColourMaps(all: readonly ColourMap[], display: MapDisplay) {
  const fitting = all.filter(({ kind }) => kind === kindOf(display))
  return { fitting, used: fitting.find(({ id }) => id === chosenColours(display)) ?? fitting[0] }
}

/** A strip of all colours from the lowest to the highest value. */
export function strip(map: ColourMap | undefined): string {
  return map === undefined ? 'none' : `linear-gradient(to right, ${map.colours.join(', ')})`
}
