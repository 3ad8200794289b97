/** How sure a mean over examples is. */
import { randomStream } from '../../lib/methods/shared/random.ts'
import { mean, type Interval } from '../../lib/metrics/shared/statistics.ts'

const RESAMPLES = 10_000

/**
 * 95 % interval of a mean by the bootstrap (Efron 1979), percentiles: the examples are drawn again, with replacement.
 * @param values one an example
 * @throws RangeError for none
 */
export function bootstrapInterval(values: readonly number[], seed: number): Interval {
  if (values.length === 0) throw new RangeError('there is no interval of nothing')
  const { integer } = randomStream(seed, 'bootstrap')
  const means = Float64Array.from({ length: RESAMPLES }, () =>
    mean(values.map(() => values[integer(values.length)] ?? Number.NaN)),
  ).sort()
  const at = (share: number): number => means[Math.round(share * (RESAMPLES - 1))] ?? Number.NaN
  return [at(0.025), at(0.975)]
}
