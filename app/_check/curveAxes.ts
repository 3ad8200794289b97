/** What a metric's curve is drawn over, and of. */
interface Axes {
  readonly x: string
  readonly y: string
}

const PROBABILITY = 'probability'
const RANDOMISED: Axes = { x: 'layers randomised', y: 'rank correlation' }

const AXES: Readonly<Record<string, Axes>> = {
  deletion: { x: 'pixels taken out', y: PROBABILITY },
  insertion: { x: 'pixels brought back', y: PROBABILITY },
  'road-most': { x: 'most relevant pixels imputed', y: PROBABILITY },
  'road-least': { x: 'least relevant pixels imputed', y: PROBABILITY },
  'road-combined': { x: 'pixels imputed', y: 'half the difference' },
  'sensitivity-n': { x: 'pixels in a set', y: 'correlation' },
  mprt: RANDOMISED,
  'smooth-mprt': RANDOMISED,
  iou: { x: 'of the largest value', y: 'intersection over union' },
  comprehensiveness: { x: 'tokens deleted', y: PROBABILITY },
  sufficiency: { x: 'tokens kept', y: PROBABILITY },
  auprc: { x: 'recall', y: 'precision' },
}

export function curveAxes(metricId: string): Axes {
  return AXES[metricId] ?? { x: 'of the input', y: 'value' }
}
