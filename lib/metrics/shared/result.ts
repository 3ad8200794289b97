/** Results of metrics. */
import type { Curve, MetricResult } from '../metric.ts'
import type { Interval } from './statistics.ts'

/** A value, and what it was made of. */
export function resultOf(value: number, made: { curve?: Curve; interval?: Interval | null } = {}): MetricResult {
  return { value, interval: made.interval ?? null, curve: made.curve ?? null, diagnoses: [] }
}

/** No value: why, in a sentence. */
export function undefinedResult(message: string, curve: Curve | null = null): MetricResult {
  return { value: null, interval: null, curve, diagnoses: [{ code: 'METRIC_UNDEFINED', severity: 'warning', message }] }
}
