/** What a metric's curve is drawn over, and of. */
interface Axes {
  readonly x: string
  readonly y: string
}

const PROBABILITY = 'probability'
const RANDOMISED: Axes = { x: 'share of layers randomised', y: 'rank correlation' }

const AXES: Readonly<Record<string, Axes>> = {
  deletion: { x: 'share of pixels taken out', y: PROBABILITY },
  insertion: { x: 'share of pixels brought back', y: PROBABILITY },
  'road-most': { x: 'share of pixels, most relevant first, imputed', y: PROBABILITY },
  'road-least': { x: 'share of pixels, least relevant first, imputed', y: PROBABILITY },
  'road-combined': { x: 'share of pixels imputed', y: 'half the difference' },
  'sensitivity-n': { x: 'share of pixels in a set', y: 'correlation' },
  mprt: RANDOMISED,
  'smooth-mprt': RANDOMISED,
  iou: { x: 'threshold, as a share of the largest value', y: 'intersection over union' },
  comprehensiveness: { x: 'share of tokens deleted', y: PROBABILITY },
  sufficiency: { x: 'share of tokens kept', y: PROBABILITY },
  auprc: { x: 'recall', y: 'precision' },
}

export function curveAxes(metricId: string): Axes {
  return AXES[metricId] ?? { x: 'share of the input', y: 'value' }
}
