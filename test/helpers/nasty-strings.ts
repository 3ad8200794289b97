/**
 * The strings of test/fixtures/text/tokenizers/nasty_strings.py, drawn again from the same seed: 45 scripts, emoji with
 * joiners, combining marks, control characters, all kinds of white space, mixed directions, long ones and empty ones.
 */
import spec from '../fixtures/text/tokenizers/nasty-strings.json' with { type: 'json' }

type Block = readonly (string | number)[]

/** Mulberry32: below -> a number in [0, below). */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

export function nastyStrings(): string[] {
  const draw = generator(spec.seed)
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[draw(items.length)]
    if (item === undefined) throw new RangeError('nothing to pick')
    return item
  }
  const times = (length: number, make: () => string): string => Array.from({ length }, make).join('')
  const character = (blocks: readonly Block[]): string => {
    const [, first, last] = pick(blocks).map(Number) as [number, number, number]
    return String.fromCodePoint(first + draw(last - first + 1))
  }
  const anything = (): string => {
    const kind = draw(8)
    if (kind < 3) return character(spec.scripts)
    if (kind < 5) return character(spec.symbols)
    if (kind === 5) return pick(spec.fragments)
    if (kind === 6) return pick(spec.spaces)
    return String.fromCodePoint(97 + draw(26))
  }
  const word = (blocks: readonly Block[]): string => times(1 + draw(9), () => character(blocks))

  return Array.from({ length: spec.count }, (_, index) => {
    let kind = draw(10)
    if (index % 250 === 0) kind = 10
    else if (index % 100 === 50) kind = 11
    if (kind < 4) return times(1 + draw(40), anything)
    if (kind < 8) {
      const blocks: Block[] = [pick(spec.scripts)]
      if (kind === 7) blocks.push(pick(spec.scripts))
      return times(1 + draw(8), () => word(blocks) + pick(spec.spaces))
    }
    if (kind < 10) return times(1 + draw(12), () => pick(spec.fragments) + pick(spec.joins))
    if (kind === 10) return times(200 + draw(1000), anything)
    return times(draw(6), () => (draw(4) > 0 ? pick(spec.spaces) : String.fromCodePoint(draw(32))))
  })
}
