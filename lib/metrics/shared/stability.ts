/** How far an attribution moves where the input moves a little. */
import type { FloatTensor } from '../../tensor/tensor.ts'
import type { MetricResult } from '../metric.ts'
import { resultOf, undefinedResult } from './result.ts'

/** One neighbour of the input. */
export interface Move {
  /** Euclidean distance between the two inputs. */
  readonly input: number
  /** Euclidean distance between the two attributions. */
  readonly attribution: number
}

/** @param places where the two are compared; everywhere when left out */
export function distance(a: FloatTensor, b: FloatTensor, places?: readonly number[]): number {
  const at = places ?? Array.from(a.data.keys())
  return Math.sqrt(at.reduce((sum, place) => sum + ((a.data[place] ?? NaN) - (b.data[place] ?? NaN)) ** 2, 0))
}

function lengthOf({ data }: FloatTensor): number {
  return Math.sqrt(data.reduce((sum, value) => sum + value * value, 0))
}

/** The largest distance between attributions, as a share of the judged one's length (Yeh et al. 2019, 1901.09392; Captum). */
export function largestSensitivity(moves: readonly Move[], attribution: FloatTensor): MetricResult {
  const length = lengthOf(attribution)
  if (length === 0) return undefinedResult('The attribution is zero everywhere, so no change is a share of it.')
  return resultOf(moves.reduce((most, move) => Math.max(most, move.attribution / length), 0))
}

/** The largest quotient of the two distances (Alvarez-Melis and Jaakkola 2018, 1806.08049). */
export function largestSlope(moves: readonly Move[]): MetricResult {
  const moved = moves.filter(({ input }) => input > 0)
  if (moved.length === 0) return undefinedResult('No neighbour differs from the input, so there is no slope.')
  return resultOf(moved.reduce((most, { input, attribution }) => Math.max(most, attribution / input), 0))
}

/** What both modalities say of themselves alike. */
export const MAX_SENSITIVITY = {
  id: 'max-sensitivity',
  version: 1,
  family: 'robustness',
  title: 'Max-sensitivity',
  paper: {
    title: 'On the (In)fidelity and Sensitivity of Explanations',
    authors: 'Yeh, Hsieh, Suggala, Inouye, Ravikumar',
    year: 2019,
    url: 'https://arxiv.org/abs/1901.09392',
  },
  needs: [],
  needsAnnotation: false,
  better: 'lower',
} as const

/** What both modalities say of themselves alike. */
export const LOCAL_LIPSCHITZ = {
  id: 'local-lipschitz',
  version: 1,
  family: 'robustness',
  title: 'Local Lipschitz estimate',
  paper: {
    title: 'On the Robustness of Interpretability Methods',
    authors: 'Alvarez-Melis, Jaakkola',
    year: 2018,
    url: 'https://arxiv.org/abs/1806.08049',
  },
  needsAnnotation: false,
  better: 'lower',
} as const
