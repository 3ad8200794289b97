/**
 * BERT's pre-tokeniser and the WordPiece model, on characters that know where they came from.
 * Source: BertPreTokenizer and WordPiece of @huggingface/tokenizers 0.2; Wu et al. 2016 (1609.08144), greedy longest match.
 */
import type { Traced } from './bert-normalizer.ts'

/** `model` of tokenizer.json. */
export interface WordPieceConfig {
  readonly vocabulary: ReadonlyMap<string, number>
  readonly unknown: string
  readonly continuingPrefix: string
  readonly maxCharactersPerWord: number
  /** Characters of the longest entry, prefix included: no longer match has to be tried. */
  readonly longestEntry: number
}

/** A vocabulary entry and the characters [start, end) of the original that made it. */
export interface Piece {
  readonly id: number
  readonly start: number
  readonly end: number
}

const WHITE_SPACE = /\s/u
/** Unicode punctuation and every ASCII symbol: each is a token of its own. */
const PUNCTUATION = /[\p{P}!-/:-@[-`{-~]/u

/** Splits into words at white space and punctuation, and each word into pieces. */
export function wordPieces(traced: Traced, config: WordPieceConfig): Piece[] {
  const pieces: Piece[] = []
  let begin = 0
  const flush = (end: number): void => {
    if (end > begin) pieces.push(...oneWord(traced, begin, end, config))
  }
  traced.characters.forEach((character, index) => {
    const space = WHITE_SPACE.test(character)
    if (!space && !PUNCTUATION.test(character)) return
    flush(index)
    begin = space ? index + 1 : index
    if (!space) {
      flush(index + 1)
      begin = index + 1
    }
  })
  flush(traced.characters.length)
  return pieces
}

/** Greedy longest match of one word; the whole word is unknown when any part of it is. */
function oneWord(traced: Traced, begin: number, end: number, config: WordPieceConfig): readonly Piece[] {
  const piece = (id: number, from: number, to: number): Piece => ({
    id,
    start: traced.sources[from] ?? 0,
    end: (traced.sources[to - 1] ?? 0) + 1,
  })
  const unknown = [piece(config.vocabulary.get(config.unknown) ?? 0, begin, end)]
  if (end - begin > config.maxCharactersPerWord) return unknown
  const pieces: Piece[] = []
  let from = begin
  while (from < end) {
    let to = Math.min(end, from + config.longestEntry)
    let id: number | undefined
    for (; to > from; to -= 1) {
      const surface = traced.characters.slice(from, to).join('')
      id = config.vocabulary.get(from > begin ? config.continuingPrefix + surface : surface)
      if (id !== undefined) break
    }
    if (id === undefined) return unknown
    pieces.push(piece(id, from, to))
    from = to
  }
  return pieces
}
