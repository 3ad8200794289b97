/** The completeness axiom as a number on the run, and a sentence where it does not hold well enough. */
import type { Modality } from '../../models/card.ts'
import type { Diagnosis } from '../diagnosis.ts'
import type { Completeness } from '../method.ts'

/** Largest relative error that is not worth a sentence. */
const COMPLETENESS_BOUND = 0.01
/** Differences below this share of the scores themselves are too small for a relative error to mean much. */
const TINY = 0.01
/** Rounding of a float32 forward pass, relative to the scores' size. */
const ROUNDING = 1e-5

export interface Ends {
  /** F(x) */
  readonly input: number
  /** F(baseline) */
  readonly baseline: number
}

const sizeOfEnds = ({ input, baseline }: Ends): number => Math.max(1, Math.abs(input), Math.abs(baseline))

/** Sundararajan et al. 2017, proposition 1. The denominator is at least the rounding of the scores, so it is finite. */
export function completenessOf(sum: number, ends: Ends, points: number): Completeness {
  const expected = ends.input - ends.baseline
  const least = 1e-7 * sizeOfEnds(ends)
  return { sum, expected, error: Math.abs(sum - expected) / Math.max(Math.abs(expected), least), points }
}

/**
 * How large the errors of all parts of a path may be together: half the bound, as the scores of single tokens are less exact
 * than their sum; at least the rounding.
 */
export function errorAllowed(ends: Ends): number {
  return Math.max((COMPLETENESS_BOUND / 2) * Math.abs(ends.input - ends.baseline), ROUNDING * sizeOfEnds(ends))
}

const EXPLAINED: Readonly<Record<Modality, string>> = { image: 'picture', text: 'text' }

/** COMPLETENESS where the error is above the bound; says so when that is because there is nearly nothing to explain. */
export function completenessDiagnosis(
  completeness: Completeness,
  ends: Ends,
  advice: string,
  modality: Modality = 'text',
): readonly Diagnosis[] {
  const explained = EXPLAINED[modality]
  const { sum, expected, error, points } = completeness
  if (error <= COMPLETENESS_BOUND) return []
  const found =
    `The scores add up to ${sum.toPrecision(4)}; the ${explained} and its baseline differ by ${expected.toPrecision(4)}, ` +
    `an error of ${percent(error)} at ${points} points (at most ${percent(COMPLETENESS_BOUND)} is promised).`
  const tiny = Math.abs(expected) < TINY * sizeOfEnds(ends)
  return [
    {
      code: 'COMPLETENESS',
      severity: 'warning',
      message: tiny
        ? `${found} The model scores the baseline nearly as the ${explained} itself, so this relative error says little: try another baseline.`
        : `${found} ${advice}`,
    },
  ]
}

function percent(share: number): string {
  const value = 100 * share
  return `${value >= 1000 ? '>1000' : value >= 10 ? value.toFixed(0) : value.toPrecision(2)} %`
}
