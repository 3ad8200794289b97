/** Colour maps: 256 colours from the lowest to the highest value. */
import { AppError } from '../errors.ts'
import { blueRed, inferno, magma, purpleOrange, turbo, viridis } from './colour-tables.ts'

export const COLOUR_MAP_IDS = ['viridis', 'inferno', 'magma', 'turbo', 'blue-red', 'purple-orange'] as const
export type ColourMapId = (typeof COLOUR_MAP_IDS)[number]

export interface ColourMap {
  readonly id: ColourMapId
  readonly title: string
  /** 'diverging' has a pale middle that stands for zero; 'sequential' has none. */
  readonly kind: 'sequential' | 'diverging'
  /** [256, 3] */
  readonly table: Uint8Array
}

/**
 * viridis, inferno and magma rise evenly in lightness and read well with any colour vision; turbo shows detail and does
 * not. blue-red and purple-orange are for signed maps, against the class to for it, and read well with any colour vision.
 */
export const COLOUR_MAPS: Readonly<Record<ColourMapId, ColourMap>> = {
  viridis: { id: 'viridis', title: 'Viridis', kind: 'sequential', table: viridis },
  inferno: { id: 'inferno', title: 'Inferno', kind: 'sequential', table: inferno },
  magma: { id: 'magma', title: 'Magma', kind: 'sequential', table: magma },
  turbo: { id: 'turbo', title: 'Turbo', kind: 'sequential', table: turbo },
  'blue-red': { id: 'blue-red', title: 'Blue to red', kind: 'diverging', table: blueRed },
  'purple-orange': { id: 'purple-orange', title: 'Purple to orange', kind: 'diverging', table: purpleOrange },
}

/** '#rrggbb', lowest value first. */
export function coloursOf({ table }: ColourMap): string[] {
  return (Buffer.from(table).toString('hex').match(/.{6}/g) ?? []).map((colour) => `#${colour}`)
}

/** What a map is shown with when nobody chose: a diverging map where zero has to be seen. The first of its kind. */
export function defaultColourMap(rectify: boolean): ColourMapId {
  return rectify ? 'viridis' : 'blue-red'
}

/** @throws AppError BAD_PARAMETER naming the colour maps there are. */
export function colourMapById(id: string): ColourMap {
  const known = COLOUR_MAP_IDS.find((one) => one === id)
  if (known !== undefined) return COLOUR_MAPS[known]
  throw new AppError({
    code: 'BAD_PARAMETER',
    message: `no colour map ${JSON.stringify(id)}`,
    userMessage: `There is no colour map "${id}". Choose one of ${COLOUR_MAP_IDS.join(', ')}.`,
    details: { colormap: id, colormaps: COLOUR_MAP_IDS },
  })
}
