/** The colour scales that the server draws maps with, and a strip of each for the legend. */
export const COLOUR_SCALES = {
  viridis: {
    label: 'Viridis',
    stops: ['#440154', '#46327e', '#365c8d', '#277f8e', '#1fa187', '#4ac16d', '#a0da39', '#fde725'],
  },
  inferno: {
    label: 'Inferno',
    stops: ['#000004', '#280b53', '#65156e', '#9f2a63', '#d44842', '#f57d15', '#fac228', '#fcffa4'],
  },
  turbo: {
    label: 'Turbo',
    stops: [
      '#30123b',
      '#4662d7',
      '#36aaf9',
      '#1ae4b6',
      '#72fe5e',
      '#c8ef34',
      '#faba39',
      '#f66b19',
      '#cb2a04',
      '#7a0403',
    ],
  },
} as const

export type ColourScale = keyof typeof COLOUR_SCALES
export const COLOUR_SCALE_NAMES = Object.keys(COLOUR_SCALES) as ColourScale[]

/** A strip from the lowest to the highest value. */
export function strip(scale: ColourScale): string {
  return `linear-gradient(to right, ${COLOUR_SCALES[scale].stops.join(', ')})`
}
