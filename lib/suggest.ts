/** "Did you mean ...?": the allowed name that is nearest to what was typed. */
import { distance } from 'fastest-levenshtein'

const LONGEST = 64

/** The nearest name, or null when none is near. Case does not count. */
export function nearest(typed: string, names: readonly string[]): string | null {
  if (typed.length > LONGEST) return null
  const wanted = typed.toLowerCase()
  let best: { name: string; score: number } | null = null
  for (const name of names) {
    const candidate = name.toLowerCase()
    const near = candidate.includes(wanted) && wanted.length > 2 ? 1 : distance(wanted, candidate)
    if (near <= Math.max(2, Math.floor(candidate.length / 3)) && (best === null || near < best.score))
      best = { name, score: near }
  }
  return best?.name ?? null
}

/** ` Did you mean "x"?` or ''. */
export function didYouMean(typed: string, names: readonly string[]): string {
  const name = nearest(typed, names)
  return name === null ? '' : ` Did you mean "${name}"?`
}

/** `a, b, c and 12 more` */
export function listed(names: readonly string[], most = 12): string {
  if (names.length === 0) return 'none'
  if (names.length <= most) return names.join(', ')
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`
}

/** What was typed, as it can stand in a sentence. */
export function quoted(typed: unknown): string {
  const text = typeof typed === 'string' ? typed : ((JSON.stringify(typed) as string | undefined) ?? String(typed))
  return `"${text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text}"`
}
