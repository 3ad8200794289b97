/**
 * Tokens to words. A word is a run of neighbouring tokens; every token is in exactly one word, so nothing is lost and
 * sums stay sums. The policy, in the order in which it is applied to two neighbouring tokens:
 *
 * 1. Special tokens stand alone, and white space between two tokens parts them.
 * 2. An HTML line break (`<br />`, as review sites store it) is one word.
 * 3. Letters, digits and marks stay together. So do an apostrophe, a hyphen or an underscore between two of them
 *    ("don't", "well-made", "snake_case"), and a point or a comma between two digits ("8.5", "1,000").
 * 4. Scripts written without spaces (Chinese, Japanese, Thai, ...) are parted where Intl.Segmenter parts them.
 * 5. Other punctuation is its own word; the same character repeated ("!!!", "...") is one.
 *
 * Positions count Unicode code points, end excluded.
 */

/** A token with its score. */
export interface ScoredToken {
  readonly text: string
  readonly start: number
  readonly end: number
  readonly score: number
  readonly special: boolean
}
/** How the scores of a word's tokens become the word's: `absolute-max` keeps the sign of the largest. */
export type WordReduction = 'sum' | 'absolute-max'

/** Scripts without spaces; script extensions take in marks they share, such as the long-vowel mark. */
const UNSPACED = /[\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]/u
const LINE_BREAK = /<br\s*\/?>/giu
const WORD = /[\p{L}\p{M}\p{N}]/u
const DIGIT = /\p{N}/u
const WORD_JOINER = /^['\u2019\u02BC\uFF07\-\u2010\u2011_]$/u
const NUMBER_JOINER = /^[.,]$/u
const PUNCTUATION = /[\p{P}\p{S}]/u
/** Characters that a tokenizer drops without parting what is beside them. */
const INVISIBLE = /[\p{C}\p{M}\uFFFD]/u

/** The words of a text, in order, each with the reduced score of its tokens. Special tokens stay, as they are. */
export function groupWords<Token extends ScoredToken>(
  text: string,
  tokens: readonly Token[],
  reduction: WordReduction,
): readonly ScoredToken[] {
  const characters = [...text]
  return wordGroups(text, tokens).map((word) =>
    reduced(
      word.flatMap((position) => tokens[position] ?? []),
      characters,
      reduction,
    ),
  )
}

type Placed = Pick<ScoredToken, 'start' | 'end' | 'special'>

/** Positions of the tokens of each word, in order; each token is in one, a special token alone. */
export function wordGroups(text: string, tokens: readonly Placed[]): readonly (readonly number[])[] {
  const joined = joinsOf(text, [...text])
  const words: number[][] = []
  tokens.forEach((token, position) => {
    const word = words.at(-1)
    const previous = word === undefined ? undefined : tokens[word.at(-1) ?? -1]
    if (word !== undefined && previous !== undefined && !token.special && !previous.special && joined(previous, token))
      word.push(position)
    else words.push([position])
  })
  return words
}

/** Positions of the tokens of each sentence as Intl.Segmenter parts them, in order; special tokens are in none. */
export function sentenceGroups(text: string, tokens: readonly Placed[]): readonly (readonly number[])[] {
  const starts = segmentStarts(text, 'sentence')
  const sentences: number[][] = []
  let last = -1
  tokens.forEach((token, position) => {
    if (token.special) return
    const sentence = starts.findLastIndex((start) => start <= token.start)
    if (sentence !== last) sentences.push([])
    last = sentence
    sentences.at(-1)?.push(position)
  })
  return sentences
}

function reduced(word: readonly ScoredToken[], characters: readonly string[], reduction: WordReduction): ScoredToken {
  const [first] = word
  if (first === undefined) throw new RangeError('a word without tokens')
  const score =
    reduction === 'sum'
      ? word.reduce((sum, token) => sum + token.score, 0)
      : word.reduce(
          (largest, token) => (Math.abs(token.score) > Math.abs(largest) ? token.score : largest),
          first.score,
        )
  if (first.special) return { text: first.text, start: first.start, end: first.end, score, special: true }
  const end = Math.max(...word.map((token) => token.end))
  return { text: characters.slice(first.start, end).join(''), start: first.start, end, score, special: false }
}

interface Stretch {
  readonly start: number
  readonly end: number
}

/** Whether two neighbouring tokens belong to one word. */
function joinsOf(text: string, characters: readonly string[]): (left: Stretch, right: Stretch) => boolean {
  const at = (position: number): string => characters[position] ?? ' '
  const breaks = lineBreaks(text)
  const breakOf = ({ start, end }: Stretch): number => breaks.findIndex((one) => one.start <= start && end <= one.end)
  const segments = new Set(characters.some(isUnspaced) ? segmentStarts(text, 'word') : [])

  return (left, right) => {
    if (left.end > right.start) return true // parts of one character
    const lineBreak = breakOf(left)
    if (lineBreak !== breakOf(right)) return false
    if (lineBreak >= 0) return true
    const between = characters.slice(left.end, right.start)
    if (between.some((character) => /\s/u.test(character) || !INVISIBLE.test(character))) return false
    const last = lastBase(characters, left)
    const first = at(right.start)
    if (isUnspaced(last) && isUnspaced(first)) {
      for (let position = left.end; position <= right.start; position += 1) if (segments.has(position)) return false
      return true
    }
    if (isUnspaced(last) || isUnspaced(first)) return false
    if (WORD.test(last) && WORD.test(first)) return true
    if (last === first) return true
    // A joiner needs a letter, or a digit, on both of its sides: the one beyond is outside this pair of tokens.
    const before = at(left.start - 1)
    const after = at(right.end)
    if (WORD_JOINER.test(first)) return WORD.test(last) && WORD.test(after)
    if (WORD_JOINER.test(last)) return WORD.test(before) && WORD.test(first)
    if (NUMBER_JOINER.test(first)) return DIGIT.test(last) && DIGIT.test(after)
    if (NUMBER_JOINER.test(last)) return DIGIT.test(before) && DIGIT.test(first)
    return !PUNCTUATION.test(last) && !PUNCTUATION.test(first)
  }
}

function isUnspaced(character: string): boolean {
  return UNSPACED.test(character) && !PUNCTUATION.test(character)
}

/** The last character of a stretch that is not a mark or joiner on top of another. */
function lastBase(characters: readonly string[], { start, end }: Stretch): string {
  for (let position = end - 1; position > start; position -= 1) {
    const character = characters[position] ?? ' '
    if (!/[\p{M}\p{C}\p{Grapheme_Extend}]/u.test(character)) return character
  }
  return characters[start] ?? ' '
}

/** Code-point positions of the HTML line breaks. */
function lineBreaks(text: string): readonly Stretch[] {
  return [...text.matchAll(LINE_BREAK)].map((match) => {
    const start = [...text.slice(0, match.index)].length
    return { start, end: start + [...match[0]].length }
  })
}

/** Code-point positions at which Intl.Segmenter starts a word or sentence, in order. */
function segmentStarts(text: string, granularity: 'word' | 'sentence'): readonly number[] {
  const starts: number[] = []
  let position = 0
  for (const { segment } of new Intl.Segmenter('en', { granularity }).segment(text)) {
    starts.push(position)
    position += [...segment].length
  }
  return starts
}
