/**
 * What was counted in fragments, each once: a fragment that is spread in many places, or in one that is, would be walked
 * more often than there are words in the document.
 */
export class FragmentCounts {
  readonly #known = new Map<string, number>()

  /** @param key what the count depends on: the fragment's name and whatever else */
  count(key: string, counted: () => number): number {
    const before = this.#known.get(key)
    if (before !== undefined) return before
    this.#known.set(key, 0) // being counted: a cycle, which is another rule's business, ends here
    const result = counted()
    this.#known.set(key, result)
    return result
  }
}
