/**
 * From the tokenizer's offsets to the characters that a token shows as its own.
 *
 * The native library's offsets are kept, in code points of the original, except that
 * 1. white space at the ends of a token is not its own: U+2581 and U+0120 in front of a word stand for the space before it;
 *    a token of white space alone keeps it;
 * 2. a space that the tokenizer put in, where the text has none, has no characters, though the library says the one behind it;
 * 3. accents, variation selectors and joiners that the tokenizer dropped belong to the character they stand on.
 */

/** A token and its characters. `text` is as written in the original, or the token's name where it has none (start = end). */
export interface TokenSpan {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** A token as the native library gives it: its name in the vocabulary, and [start, end) in code points. */
export interface RawToken {
  readonly name: string
  readonly start: number
  readonly end: number
}

const WHITE_SPACE = /\s/u
const DROPPED_MARK = /[\p{M}\p{Grapheme_Extend}\u200D]/u
/** How Metaspace and byte-level vocabularies write a space. */
const SPACE_MARKS = /^[\u2581\u0120]+$/u

/** @returns one span for each token. Spans rise, and overlap only where one character became several tokens. */
export function spansOf(characters: readonly string[], tokens: readonly RawToken[]): TokenSpan[] {
  const bare = tokens.map((token, index) =>
    isInserted(characters, tokens, index) ? { ...token, end: token.start } : trimmed(characters, token),
  )
  return bare.map(({ name, start, end }, index) => {
    if (start === end) return { text: name, start, end }
    const limit = WHITE_SPACE.test(characters[end - 1] ?? '') ? end : (bare[index + 1]?.start ?? characters.length)
    let reached = end
    while (reached < limit && DROPPED_MARK.test(characters[reached] ?? ' ')) reached += 1
    return { text: characters.slice(start, reached).join(''), start, end: reached }
  })
}

/** A space of the tokenizer's own, in front of the text or of what follows a special token in it. */
function isInserted(characters: readonly string[], tokens: readonly RawToken[], index: number): boolean {
  const { name, start, end } = tokens[index] ?? { name: '', start: 0, end: 0 }
  if (!SPACE_MARKS.test(name)) return false
  if ((tokens[index - 1]?.end ?? 0) > start) return false // of a character that became several tokens
  if (tokens[index + 1]?.start === start) return true // the library says that it is the character behind it
  for (let position = start; position < end; position += 1) {
    const character = characters[position] ?? ''
    if (WHITE_SPACE.test(character) || name.includes(character)) return false
  }
  return true
}

function trimmed(characters: readonly string[], token: RawToken): RawToken {
  const isSpace = (position: number): boolean => WHITE_SPACE.test(characters[position] ?? '')
  let { start, end } = token
  while (start < end && isSpace(start)) start += 1
  if (start === end) return token
  while (isSpace(end - 1)) end -= 1
  return { name: token.name, start, end }
}
