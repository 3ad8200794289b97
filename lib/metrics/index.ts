/** The metrics there are: explicit, in the order in which they are offered. */
import type { Metric } from './metric.ts'

export const METRICS: readonly Metric[] = Object.freeze([])
