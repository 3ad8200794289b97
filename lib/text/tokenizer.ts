/**
 * Text to token ids, with the characters of the original string that made each token.
 *
 * @xenova/transformers gives ids without positions, so its BERT tokenizer is replayed here with positions. On every text
 * the ids of both must be equal, else an error is raised: a score on the wrong characters would be worse than none.
 * All positions count Unicode code points of the original string, end excluded (Python's text[start:end]).
 * Letters: T tokens, special ones included.
 */
import { PreTrainedTokenizer } from '@xenova/transformers'
import { AppError } from '../errors.ts'
import type { TextPreprocessing } from '../models/card.ts'
import { int64, type Tensor } from '../tensor/tensor.ts'
import { normalizeTraced } from './bert-normalizer.ts'
import { checkedCodePoints } from './limits.ts'
import { readTokenizerFile, type SpecialToken, type TokenizerFile } from './tokenizer-file.ts'
import { wordPieces, type Piece } from './wordpiece.ts'

/** A token and its characters. `text` is as written in the original, or the name of a special token (start = end). */
export interface TokenSpan {
  readonly text: string
  readonly start: number
  readonly end: number
}

export interface EncodedText {
  /** [T] */
  readonly ids: readonly number[]
  /** [T], true for what the tokenizer put there itself ([CLS], [SEP]). */
  readonly special: readonly boolean[]
  /**
   * [T], in text order. Spans do not overlap, save where one character became several tokens (a Hangul syllable that is
   * split into its letters): those share that character.
   */
  readonly tokens: readonly TokenSpan[]
  /** input_ids, attention_mask, token_type_ids, each int64 [1, T]. */
  readonly feeds: Readonly<Record<'input_ids' | 'attention_mask' | 'token_type_ids', Tensor<BigInt64Array>>>
  /** The characters that were left out because the model reads at most `maxTokens`; `tokens` of them. */
  readonly removed: { readonly start: number; readonly end: number; readonly tokens: number } | null
  /** Positions in `tokens` of what the vocabulary does not know. */
  readonly unknown: readonly number[]
}

export interface Tokenizer {
  /** Ids by role; null where the tokenizer has none. */
  readonly vocabulary: { readonly pad: number | null; readonly mask: number | null; readonly unknown: number | null }
  readonly vocabularySize: number
  /**
   * Linear in the length of the text.
   * @throws AppError BAD_TEXT, TEXT_TOO_LONG (see `limits.ts`), BAD_TEXT when no character of it survives the
   *   tokenizer, BAD_MODEL when card and tokenizer disagree.
   */
  encode(text: string, preprocessing: TextPreprocessing): EncodedText
}

/**
 * Reads the tokenizer beside a model. Never uses the network.
 * @throws AppError BAD_MODEL where files are missing, broken, or of a kind other than BERT's WordPiece.
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const file = await readTokenizerFile(folder)
  const reference = new PreTrainedTokenizer(file.json, file.config)
  const around = [...file.prefix, ...file.suffix].map(({ id }) => id)
  if (reference.encode('').join() !== around.join())
    throw new AppError({
      code: 'BAD_MODEL',
      message: `${folder}: special tokens ${around.join()} differ from @xenova/transformers`,
    })
  return {
    vocabulary: { pad: file.pad, mask: file.mask, unknown: file.unknown },
    vocabularySize: file.model.vocabulary.size,
    encode(text, preprocessing) {
      const characters = checkedCodePoints(text)
      if (preprocessing.lowercase !== file.normalizer.lowercase)
        throw new AppError({
          code: 'BAD_MODEL',
          message: `card.json says lowercase ${preprocessing.lowercase}, tokenizer.json says ${file.normalizer.lowercase}. Make them agree.`,
        })
      const pieces = piecesOf(characters, file)
      agree(pieces, reference.encode(text, { add_special_tokens: false }), text)
      if (pieces.length === 0)
        throw new AppError({
          code: 'BAD_TEXT',
          message: 'no token is left of the text: all its characters are dropped by the tokenizer',
          userMessage: 'The text holds only invisible characters. Type or paste at least one word.',
        })
      return assemble(characters, pieces, preprocessing, file)
    },
  }
}

/** Tokens of the whole text, special ones not included. */
function piecesOf(characters: readonly string[], file: TokenizerFile): readonly Piece[] {
  const pieces: Piece[] = []
  let begin = 0
  const flush = (end: number): void => {
    if (end === begin) return
    const traced = normalizeTraced(characters.slice(begin, end), begin, file.normalizer)
    const whole = traced.characters.length <= 64 ? file.addedTokens.get(traced.characters.join('')) : undefined
    if (whole === undefined) for (const piece of wordPieces(traced, file.model)) pieces.push(piece)
    else pieces.push({ id: whole, start: traced.sources[0] ?? begin, end: (traced.sources.at(-1) ?? begin) + 1 })
  }
  // Longest first, as the trie of the reference finds them.
  const added = [...file.addedTokens].map(([content, id]) => ({ content, id, length: [...content].length }))
  added.sort((a, b) => b.length - a.length)
  const starts = new Set(added.map(({ content }) => [...content][0]))
  for (let position = 0; position < characters.length;) {
    const found = starts.has(characters[position])
      ? added.find(
          ({ content, length }) => characters.slice(position, position + length).join('') === content && length > 0,
        )
      : undefined
    if (found === undefined) {
      position += 1
      continue
    }
    flush(position)
    pieces.push({ id: found.id, start: position, end: position + found.length })
    position += found.length
    begin = position
  }
  flush(characters.length)
  return pieces
}

/** @throws AppError INTERNAL where the replay and the reference differ. */
function agree(pieces: readonly Piece[], reference: readonly number[], text: string): void {
  const at = pieces.findIndex(({ id }, index) => id !== reference[index])
  if (at < 0 && pieces.length === reference.length) return
  throw new AppError({
    code: 'INTERNAL',
    message: `token ${at < 0 ? Math.min(pieces.length, reference.length) : at}: ids with and without positions differ (${pieces.length} and ${reference.length} tokens)`,
    userMessage:
      'Limelight cannot tell which characters of this text belong to which token, so it does not explain it. ' +
      'Please report the text as a bug.',
    details: { at, length: text.length },
  })
}

/** Cuts to the model's length, adds the special tokens and looks the surfaces up. */
function assemble(
  characters: readonly string[],
  pieces: readonly Piece[],
  preprocessing: TextPreprocessing,
  file: TokenizerFile,
): EncodedText {
  const room = preprocessing.maxTokens - file.prefix.length - file.suffix.length
  if (room < 1)
    throw new AppError({ code: 'BAD_MODEL', message: `maxTokens ${preprocessing.maxTokens} leaves no room` })
  const headFraction = preprocessing.truncation === 'head-tail' ? (preprocessing.headFraction ?? 0.5) : 1
  const head = pieces.length > room ? Math.round(room * headFraction) : pieces.length
  const tail = pieces.length > room ? room - head : 0
  const length = characters.length
  const spanned = pieces.map(({ id, start, end: bare }, index) => {
    const end = withMarks(characters, bare, pieces[index + 1]?.start ?? length)
    return { id, special: false, span: { text: characters.slice(start, end).join(''), start, end } }
  })
  const cut = spanned.slice(head, spanned.length - tail)
  const firstCut = cut[0]
  const lastCut = cut.at(-1)

  const specials = (names: readonly SpecialToken[], position: number) =>
    names.map(({ id, name }) => ({ id, special: true, span: { text: name, start: position, end: position } }))
  const all = [
    ...specials(file.prefix, 0),
    ...spanned.slice(0, head),
    ...spanned.slice(spanned.length - tail),
    ...specials(file.suffix, length),
  ]
  const row = (values: readonly number[]): Tensor<BigInt64Array> => int64(values, [1, all.length])
  return {
    ids: all.map(({ id }) => id),
    special: all.map(({ special }) => special),
    tokens: all.map(({ span }) => span),
    feeds: {
      input_ids: row(all.map(({ id }) => id)),
      attention_mask: row(all.map(() => 1)),
      token_type_ids: row(all.map(() => 0)),
    },
    removed:
      firstCut === undefined || lastCut === undefined
        ? null
        : { start: firstCut.span.start, end: lastCut.span.end, tokens: cut.length },
    unknown: all.flatMap(({ id, special }, index) => (id === file.unknown && !special ? [index] : [])),
  }
}

/** Accents, variation selectors and joiners that the tokenizer dropped belong to the character they stand on. */
function withMarks(characters: readonly string[], end: number, limit: number): number {
  let reached = end
  while (reached < limit && /[\p{M}\p{Grapheme_Extend}\u200D]/u.test(characters[reached] ?? ' ')) reached += 1
  return reached
}
