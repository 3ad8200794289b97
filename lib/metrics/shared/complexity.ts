/** How few of its values an attribution is made of: of absolute values, whatever their places. */

/** Shannon entropy of |phi| / sum |phi|, in nats (Bhatt et al. 2020, 2005.00631); null where all are 0. */
export function entropyOf(values: ArrayLike<number>): number | null {
  let total = 0
  for (let at = 0; at < values.length; at += 1) total += Math.abs(values[at] ?? Number.NaN)
  if (total === 0) return null
  let entropy = 0
  for (let at = 0; at < values.length; at += 1) {
    const share = Math.abs(values[at] ?? Number.NaN) / total
    if (share > 0) entropy -= share * Math.log(share)
  }
  return entropy
}

/** Gini index of |phi| (Chalasani et al. 2020; Hurley and Rickard 2009): 0 where all are equal; null where all are 0. */
export function giniOf(values: ArrayLike<number>): number | null {
  const sorted = Float64Array.from({ length: values.length }, (_, at) => Math.abs(values[at] ?? Number.NaN)).sort()
  const total = sorted.reduce((sum, value) => sum + value, 0)
  if (total === 0) return null
  const count = sorted.length
  return sorted.reduce((sum, value, at) => sum + (2 * (at + 1) - count - 1) * value, 0) / (count * total)
}

export const ZERO_EVERYWHERE = 'The attribution is zero everywhere, so it has no shares to speak of.'
