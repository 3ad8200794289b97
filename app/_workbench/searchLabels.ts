/** Finds classes by what is typed, among as many as a model has. */

/** Lower case, without accents. */
function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().trim()
}

/** How well a label answers a query: 0 is best; null where a word of the query is not in it. Both folded. */
function rankOf(label: string, query: string): number | null {
  const asked = query.split(/\s+/u)
  if (!asked.every((word) => label.includes(word))) return null
  if (label === query) return 0
  const words = label.split(/[^\p{L}\p{N}]+/u)
  if (asked.every((word) => words.includes(word))) return 1
  if (label.startsWith(query)) return 2
  return asked.every((word) => words.some((one) => one.startsWith(word))) ? 3 : 4
}

/**
 * The labels that contain every word of the query, in any order, case and accents aside. Whole words come before beginnings,
 * and those before any other part; in the order of the model otherwise. All of them for an empty query.
 */
export function searchLabels(labels: readonly string[], query: string): readonly string[] {
  const wanted = folded(query)
  if (wanted === '') return labels
  return labels
    .flatMap((label) => {
      const rank = rankOf(folded(label), wanted)
      return rank === null ? [] : [{ label, rank }]
    })
    .sort((a, b) => a.rank - b.rank)
    .map(({ label }) => label)
}
