/** Where a value and what the controls reach lie on one small scale: 0 is the worst of them, 1 the best. */
import type { Evaluation, Interval } from '../_graphql/types.ts'
import { CONTROL_IDS, controlIn, singleRandom } from './standing.ts'

/** Positions, 0..1; an interval goes from the worse end to the better one. */
export interface Scale {
  readonly value: number
  readonly interval: Interval | null
  readonly random: {
    readonly mean: number
    readonly interval: Interval | null
    readonly single: Interval | null
  } | null
  readonly uniform: number | null
  readonly edges: number | null
}

/** @returns null where the evaluation has no value */
export function scaleOf(evaluation: Evaluation): Scale | null {
  const { value, interval, metric } = evaluation
  if (value === null) return null
  const random = controlIn(evaluation, 'random')
  const single = random === undefined ? null : singleRandom(random)
  const ends = [interval, random?.interval ?? null, single].flatMap((one) => (one === null ? [] : [one.low, one.high]))
  const reached = CONTROL_IDS.flatMap((id) => controlIn(evaluation, id)?.value ?? [])
  const all = [value, ...ends, ...reached]
  const least = Math.min(...all)
  const range = Math.max(...all) - least
  const isHigher = metric.better === 'HIGHER'
  const at = (of: number): number => {
    const share = range > 0 ? (of - least) / range : 0.5
    return isHigher ? share : 1 - share
  }
  const between = (of: Interval | null): Interval | null =>
    of === null ? null : { low: at(isHigher ? of.low : of.high), high: at(isHigher ? of.high : of.low) }
  const placed = (id: 'uniform' | 'edges'): number | null => {
    const found = controlIn(evaluation, id)?.value ?? null
    return found === null ? null : at(found)
  }
  return {
    value: at(value),
    interval: between(interval),
    random:
      random === undefined || random.value === null
        ? null
        : { mean: at(random.value), interval: between(random.interval), single: between(single) },
    uniform: placed('uniform'),
    edges: placed('edges'),
  }
}
