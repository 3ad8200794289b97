/** Numbers and dates as they are shown. */

const percentFormat = new Intl.NumberFormat('en', {
  style: 'percent',
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
})
const countFormat = new Intl.NumberFormat('en')

/** 0..1 as a percentage with one decimal; near 0 and 1 says so instead of rounding to them. */
export function percent(fraction: number): string {
  if (fraction > 0 && fraction < 0.0005) return '< 0.1 %'
  if (fraction < 1 && fraction > 0.9995) return '> 99.9 %'
  return percentFormat.format(fraction).replace('%', ' %')
}

/** What a model says of a class in a word: how probable, or the value where it gives no probabilities. */
export function saidOf({
  probability,
  logit,
}: {
  readonly probability: number | null
  readonly logit: number
}): string {
  return probability === null ? significant(logit) : percent(probability)
}

export function count(value: number): string {
  return countFormat.format(value)
}

/** Three significant digits, with a true minus sign; very small and very large values as powers of ten. */
export function significant(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  const digits = size < 1e-3 || size >= 1e5 ? value.toExponential(2) : Number(value.toPrecision(3)).toString()
  return digits.replace(/-/g, '−')
}

/** {@link significant} with a sign in front, for values where the sign is the message. */
export function signedValue(value: number): string {
  return value > 0 ? `+${significant(value)}` : significant(value)
}

export function milliseconds(value: number): string {
  if (value < 10) return `${value.toFixed(1)} ms`
  if (value < 1000) return `${String(Math.round(value))} ms`
  return `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} s`
}

export function dateTime(iso: string): string {
  return new Date(iso).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })
}

/** Short for a list: the time today, the day otherwise. */
export function when(iso: string): string {
  const date = new Date(iso)
  const today = new Date().toDateString() === date.toDateString()
  return today
    ? date.toLocaleTimeString('en-GB', { timeStyle: 'short' })
    : date.toLocaleDateString('en-GB', { dateStyle: 'medium' })
}
