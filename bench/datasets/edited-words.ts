/** Which words of a text its edited version lacks: those outside a longest common subsequence of their words. */

interface Word {
  /** Small letters: an edit in front of it changes a word's first letter, and the model reads small ones. */
  readonly as: string
  /** Code points, end excluded. */
  readonly start: number
  readonly end: number
}

/** Letters and digits with apostrophes and hyphens between them, or one other visible character; line breaks of HTML are none. */
const WORD = /<br \/>|[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*|\S/gu

function wordsOf(text: string): Word[] {
  const words: Word[] = []
  let [units, points] = [0, 0]
  for (const { 0: word, index } of text.matchAll(WORD)) {
    points += Array.from(text.slice(units, index)).length
    const end = points + Array.from(word).length
    if (word !== '<br />') words.push({ as: word.toLowerCase(), start: points, end })
    units = index + word.length
    points = end
  }
  return words
}

/** lengths[i][j]: of the longest common subsequence of a from i on and b from j on. */
function commonLengths(a: readonly Word[], b: readonly Word[]): Uint16Array[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = lengths[i] ?? new Uint16Array()
      const below = lengths[i + 1] ?? new Uint16Array()
      row[j] = a[i]?.as === b[j]?.as ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0)
    }
  return lengths
}

/** @returns spans of `text` in code points, end excluded, one a word, rising */
export function editedSpans(text: string, edited: string): { start: number; end: number }[] {
  const [own, other] = [wordsOf(text), wordsOf(edited)]
  const lengths = commonLengths(own, other)
  const spans: { start: number; end: number }[] = []
  let [i, j] = [0, 0]
  for (let word = own[i]; word !== undefined; word = own[i]) {
    const theirs = other[j]
    if (theirs?.as === word.as) [i, j] = [i + 1, j + 1]
    else if (theirs !== undefined && (lengths[i]?.[j + 1] ?? 0) >= (lengths[i + 1]?.[j] ?? 0)) j += 1
    else {
      spans.push({ start: word.start, end: word.end })
      i += 1
    }
  }
  return spans
}
