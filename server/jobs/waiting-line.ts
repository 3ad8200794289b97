/** Who waits, in the order of arrival: joining, leaving from anywhere and finding the first take the same time however many wait. */

interface Place<T> {
  readonly id: string
  readonly value: T
  before: Place<T> | null
  behind: Place<T> | null
}

export class WaitingLine<T> {
  // Not a Map alone: finding its first key passes over all that were deleted before it.
  readonly #places = new Map<string, Place<T>>()
  #first: Place<T> | null = null
  #last: Place<T> | null = null

  get size(): number {
    return this.#places.size
  }

  /** Joins at the end; whoever waits already keeps the place, with the new value. */
  join(id: string, value: T): void {
    const known = this.#places.get(id)
    const place: Place<T> = known === undefined ? { id, value, before: this.#last, behind: null } : { ...known, value }
    this.#places.set(id, place)
    if (place.before === null) this.#first = place
    else place.before.behind = place
    if (place.behind === null) this.#last = place
    else place.behind.before = place
  }

  /** @returns false where nobody of this id waits */
  leave(id: string): boolean {
    const place = this.#places.get(id)
    if (place === undefined) return false
    this.#places.delete(id)
    if (place.before === null) this.#first = place.behind
    else place.before.behind = place.behind
    if (place.behind === null) this.#last = place.before
    else place.behind.before = place.before
    return true
  }

  /** The first that will do. */
  first(willDo: (id: string) => boolean): { readonly id: string; readonly value: T } | null {
    for (let place = this.#first; place !== null; place = place.behind) if (willDo(place.id)) return place
    return null
  }

  clear(): void {
    this.#places.clear()
    this.#first = null
    this.#last = null
  }
}
