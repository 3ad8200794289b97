import type { MetricResult } from '../metric.ts'
import { resultOf, undefinedResult } from './result.ts'

/** |sum - expected| / |expected|. @param expected F(x) - F(baseline) */
export function completenessResult(attribution: ArrayLike<number>, expected: number): MetricResult {
  if (expected === 0)
    return undefinedResult('Input and baseline have the same score, so there is no difference to add up to.')
  let sum = 0
  for (let at = 0; at < attribution.length; at += 1) sum += attribution[at] ?? Number.NaN
  return resultOf(Math.abs(sum - expected) / Math.abs(expected))
}

/** What both modalities say of themselves alike. */
export const COMPLETENESS_ERROR = {
  id: 'completeness-error',
  version: 1,
  family: 'faithfulness',
  title: 'Completeness error',
  paper: {
    title: 'Axiomatic Attribution for Deep Networks',
    authors: 'Sundararajan, Taly, Yan',
    year: 2017,
    url: 'https://arxiv.org/abs/1703.01365',
  },
  needsAnnotation: false,
  better: 'lower',
} as const
