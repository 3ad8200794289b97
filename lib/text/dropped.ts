/**
 * Works round a fault of the native tokenizers library (0.23) in its compiled normaliser (XLM-R's, T5's, ALBERT's): it
 * forgets the characters that it drops at the start of a text, such as a byte-order mark, or behind a special token in it,
 * and every offset from there to the next special token is too early by that many; and what it makes of a character lies
 * half on one dropped behind it. Asked without those characters it gives the same ids, with offsets right for the rest.
 */

/** A text without some of its characters; `positions` says where the rest were, in code points, one entry for each. */
interface Shortened {
  readonly text: string
  readonly positions: readonly number[]
}

/** Ways to leave out the characters that a normaliser drops, the best first; none where it drops none of them. */
export type WithoutDropped = (characters: readonly string[]) => Iterable<Shortened>

/** Without what stands before these they become part of the character before that, unless a special token ends there. */
const EXTENDS = /[\p{M}\p{Grapheme_Extend}\p{Emoji_Modifier}\u200D]/u

/** @param normalize the normaliser, of one character at a time; each is asked about once. */
export function withoutDropped(normalize: (character: string) => string): WithoutDropped {
  const known = new Map<string, boolean>()
  const isDropped = (character: string): boolean => {
    const answer = known.get(character) ?? normalize(character) === ''
    known.set(character, answer)
    return answer
  }
  return function* (characters) {
    const shortened = (keeps: (position: number) => boolean): Shortened => {
      const positions = [...characters.keys()].filter((at) => keeps(at) || !isDropped(characters[at] ?? ''))
      return { text: positions.map((at) => characters[at]).join(''), positions }
    }
    if (!characters.some(isDropped)) return
    yield shortened(() => false)
    yield shortened((at) => at > 0 && EXTENDS.test(characters[at + 1] ?? ''))
  }
}
