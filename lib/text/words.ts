/**
 * Tokens to words, by the text and not by the tokenizer's marks. A word is a run of neighbouring tokens; every token is in
 * exactly one word, so nothing is lost and sums stay sums. The policy, in the order in which it is applied to the place
 * where two neighbouring tokens meet:
 *
 * 1. Special tokens stand alone. Tokens that share a character stay together, and so do those of one character as people
 *    see it (a grapheme cluster: an emoji with its joiners, a letter with its accents).
 * 2. A space that the tokenizer put in belongs to what follows it. White space parts; a run of tokens of white space alone
 *    is a word. An HTML line break (`<br />`, as review sites store it) is one word.
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
const MARK = /[\p{M}\p{Grapheme_Extend}\u200D]/u
/** Control and format characters, such as a zero-width space: on top of what is before them, as marks are. */
const FORMAT = /[\p{Cc}\p{Cf}]/u
/** Marks, joiners and invisible characters on top of another. */
const ON_ANOTHER = /[\p{M}\p{C}\p{Grapheme_Extend}]/u

/** UTF-16 units given to a segmenter at once, and those at their end whose segments may depend on what follows. */
const SEGMENTERS = {
  word: { window: 1024, margin: 128, segmenter: new Intl.Segmenter('en', { granularity: 'word' }) },
  grapheme: { window: 1024, margin: 128, segmenter: new Intl.Segmenter('en', { granularity: 'grapheme' }) },
  sentence: { window: 8192, margin: 2048, segmenter: new Intl.Segmenter('en', { granularity: 'sentence' }) },
}
type Granularity = keyof typeof SEGMENTERS

/** The words of a text, in order, each with the reduced score of its tokens. Special tokens stay, as they are. */
export function groupWords(
  text: string,
  tokens: readonly ScoredToken[],
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
  const starts = [...startsOf(text, 'sentence')]
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
  const { start, special } = first
  const end = word.reduce((reached, token) => Math.max(reached, token.end), start)
  // A special token, or one that the tokenizer put in, has no characters: its name is shown.
  const text = special || end === start ? first.text : characters.slice(start, end).join('')
  return { text, start, end, score, special }
}

interface Stretch {
  readonly start: number
  readonly end: number
}

/** Whether two neighbouring tokens belong to one word. */
function joinsOf(text: string, characters: readonly string[]): (left: Stretch, right: Stretch) => boolean {
  const at = (position: number): string => characters[position] ?? ' '
  const bases = basesOf(characters)
  const breaks = lineBreaks(text, characters.length)
  const segments = characters.some(isUnspaced) ? startsOf(text, 'word') : new Set<number>()
  const graphemes = characters.some((character) => character > '\u02ff') ? startsOf(text, 'grapheme') : null

  return (left, right) => {
    if (right.start === right.end) return false // put in by the tokenizer, for what follows
    if (left.start === left.end) return left.end === right.start
    if (left.end > right.start) return true // parts of one character
    if (left.end === right.start && graphemes !== null && !graphemes.has(right.start)) return true
    const lineBreak = breaks[left.end - 1]
    if (lineBreak !== breaks[right.start]) return false
    if (lineBreak !== 0) return true
    if (isBlank(characters, left) && isBlank(characters, right)) return true
    const between = characters.slice(left.end, right.start)
    if (between.some((character) => /\s/u.test(character) || !INVISIBLE.test(character))) return false
    const base = bases[left.end - 1] ?? 0
    const last = at(base)
    const first = at(right.start)
    if (/\s/u.test(at(left.end - 1)) || /\s/u.test(first)) return false
    if (isUnspaced(last) && isUnspaced(first)) {
      for (let position = left.end; position <= right.start; position += 1) if (segments.has(position)) return false
      return true
    }
    if (isUnspaced(last) || isUnspaced(first)) return FORMAT.test(first)
    if (WORD.test(last) && WORD.test(first)) return true
    if (last === first || FORMAT.test(first)) return true
    // A joiner needs a letter, or a digit, on both of its sides: the one beyond is looked up in the text.
    const before = at(base - 1)
    const after = at(behindMarks(characters, right.start))
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

function isBlank(characters: readonly string[], { start, end }: Stretch): boolean {
  for (let position = start; position < end; position += 1) if (!/\s/u.test(characters[position] ?? '')) return false
  return true
}

/** For each position, that of the character which the marks and joiners at it stand on: its own where it is none. */
function basesOf(characters: readonly string[]): Int32Array {
  const bases = new Int32Array(characters.length)
  characters.forEach((character, position) => {
    const onAnother = position > 0 && ON_ANOTHER.test(character) && !/\s/u.test(characters[position - 1] ?? '')
    bases[position] = onAnother ? (bases[position - 1] ?? 0) : position
  })
  return bases
}

/** The position behind a character and the marks on it. */
function behindMarks(characters: readonly string[], position: number): number {
  let reached = position + 1
  while (MARK.test(characters[reached] ?? ' ')) reached += 1
  return reached
}

/** For each code point the number, from 1, of the HTML line break that it is part of; 0 elsewhere. */
function lineBreaks(text: string, length: number): Int32Array {
  const breaks = new Int32Array(length)
  let unit = 0
  let position = 0
  let count = 0
  for (const match of text.matchAll(LINE_BREAK)) {
    position += [...text.slice(unit, match.index)].length
    unit = match.index + match[0].length
    count += 1
    const end = position + [...match[0]].length
    breaks.fill(count, position, end)
    position = end
  }
  return breaks
}

/**
 * Code-point positions at which Intl.Segmenter starts a word, a sentence, or a character as people see it. Node's takes time that grows
 * with the square of a text's length, so a long one is given to it by windows: what ends near a window's end is asked
 * about again at the start of the next.
 */
function startsOf(text: string, granularity: Granularity): ReadonlySet<number> {
  const { window, margin, segmenter } = SEGMENTERS[granularity]
  const starts = new Set<number>()
  let unit = 0
  let position = 0
  while (unit < text.length) {
    const isLast = unit + window >= text.length
    let used = 0
    for (const { segment, index } of segmenter.segment(text.slice(unit, unit + window))) {
      if (!isLast && index > 0 && index + segment.length > window - margin) break
      starts.add(position)
      position += [...segment].length
      used = index + segment.length
    }
    unit += used
  }
  return starts
}
