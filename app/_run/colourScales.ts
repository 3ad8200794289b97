/** The colour scales that the server draws maps with, each with a strip for the legend. */

interface ScaleInfo {
  readonly label: string
  /** From the lowest to the highest value. */
  readonly stops: readonly string[]
}

/** For evidence that only grows: the lowest colour is zero. */
export const SEQUENTIAL = {
  viridis: {
    label: 'Viridis',
    stops: ['#440154', '#472d7b', '#3b528b', '#2c728e', '#21918c', '#27ad81', '#5cc863', '#aadc32', '#fde725'],
  },
  inferno: {
    label: 'Inferno',
    stops: ['#000004', '#210c4a', '#57106e', '#8a226a', '#bc3754', '#e35933', '#f98c0a', '#f9c932', '#fcffa4'],
  },
  magma: {
    label: 'Magma',
    stops: ['#000004', '#1d1147', '#51127c', '#832681', '#b73779', '#e55064', '#fb8761', '#fec287', '#fcfdbf'],
  },
  turbo: {
    label: 'Turbo',
    stops: [
      '#30123b',
      '#4661d6',
      '#35abf8',
      '#1ae4b6',
      '#71fe5f',
      '#c8ef34',
      '#faba39',
      '#f66c19',
      '#ca2a04',
      '#7a0403',
    ],
  },
} as const satisfies Record<string, ScaleInfo>

/** For evidence on both sides: the pale middle is zero. */
export const DIVERGING = {
  'blue-red': {
    label: 'Blue to red',
    stops: ['#053061', '#2a71b2', '#6bacd1', '#c2ddec', '#f7f6f6', '#fbceb7', '#e58368', '#bb2a34', '#67001f'],
  },
  'purple-orange': {
    label: 'Purple to orange',
    stops: ['#2d004b', '#5f3a91', '#9990bf', '#cfcfe5', '#f7f7f6', '#fed7a2', '#ef9e3c', '#be630a', '#7f3b08'],
  },
} as const satisfies Record<string, ScaleInfo>

export type SequentialScale = keyof typeof SEQUENTIAL
export type DivergingScale = keyof typeof DIVERGING

export const SEQUENTIAL_NAMES = Object.keys(SEQUENTIAL) as SequentialScale[]
export const DIVERGING_NAMES = Object.keys(DIVERGING) as DivergingScale[]

/** A strip from the lowest to the highest value. */
export function strip({ stops }: ScaleInfo): string {
  return `linear-gradient(to right, ${stops.join(', ')})`
}
