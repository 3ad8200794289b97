/**
 * Text to token ids, with the characters of the original string that made each token.
 *
 * The tokenizer is Hugging Face's own, in its native binding: what a model was trained with is what it is asked with.
 * All positions count Unicode code points of the original string, end excluded (Python's text[start:end]).
 * Letters: T tokens, special ones included.
 */
import { join } from 'node:path'
import type { Encoding } from 'tokenizers'
import { AppError } from '../errors.ts'
import type { TextPreprocessing } from '../models/card.ts'
import { int64, type Tensor } from '../tensor/tensor.ts'
import type { Conventions } from './feeds.ts'
import { checkedCodePoints } from './limits.ts'
import { spansOf, type TokenSpan } from './spans.ts'
import { specialIds, type SpecialIds } from './special-tokens.ts'
import { badTokenizer, openTokenizerFile, type TokenizerFile } from './tokenizer-file.ts'

export interface EncodedText {
  /** [T] */
  readonly ids: readonly number[]
  /** [T], true for what the tokenizer put there itself ([CLS], [SEP]). */
  readonly special: readonly boolean[]
  /**
   * [T], in text order. Spans do not overlap, save where one character became several tokens (the bytes of an emoji, the
   * letters of a Hangul syllable): those share that character.
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
  readonly vocabulary: SpecialIds
  readonly vocabularySize: number
  /** How models of this tokenizer's family count and begin; left out where it is as usual. */
  readonly conventions?: Conventions
  /**
   * Runs beside the event loop, in time linear in the length of the text. Where `signal` is aborted the promise is
   * rejected at once, and what the thread still makes is dropped.
   * @throws AppError BAD_TEXT, TEXT_TOO_LONG (see `limits.ts`), BAD_TEXT when no character of it survives the
   *   tokenizer, BAD_MODEL when card and tokenizer disagree, CANCELLED.
   */
  encode(text: string, preprocessing: TextPreprocessing, signal?: AbortSignal): Promise<EncodedText>
}

/**
 * Reads the tokenizer beside a model. Never uses the network.
 * @param file the tokenizer.json, relative to the model's folder.
 * @throws AppError BAD_MODEL where files are missing, broken, or contradict each other.
 */
export async function loadTokenizer(folder: string, file = 'tokenizer.json'): Promise<Tokenizer> {
  const path = join(folder, file)
  const opened = await openTokenizerFile(path)
  const { native } = opened
  const { vocabulary, conventions } = await specialIds(path, opened)
  const lowercase = native.getNormalizer()?.normalizeString('A').includes('a') ?? false
  return {
    vocabulary,
    vocabularySize: native.getVocabSize(true),
    conventions,
    async encode(text, preprocessing, signal) {
      const characters = checkedCodePoints(text)
      if (preprocessing.lowercase !== lowercase)
        throw new AppError({
          code: 'BAD_MODEL',
          message: `card.json says lowercase ${preprocessing.lowercase}, tokenizer.json says ${lowercase}. Make them agree.`,
        })
      const encoded = await unlessAborted(() => encodeExactly(text, characters, opened), signal).catch(
        (cause: unknown) => {
          if (cause instanceof AppError) throw cause
          throw badTokenizer(path, `it cannot encode this text (${String(cause)})`, cause)
        },
      )
      return assemble(characters, encoded, preprocessing, vocabulary.unknown)
    },
  }
}

async function unlessAborted<Value>(work: () => Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  const cancelled = (): AppError => new AppError({ code: 'CANCELLED', message: 'The run was cancelled.' })
  if (signal === undefined) return work()
  if (signal.aborted) throw cancelled()
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      reject(cancelled())
    }
    signal.addEventListener('abort', cancel, { once: true })
    void work()
      .then(resolve, reject)
      .finally(() => {
        signal.removeEventListener('abort', cancel)
      })
  })
}

/** What the library says of a text, with offsets in the text as it was given. */
interface Encoded {
  readonly encoding: Encoding
  readonly offsets: readonly (readonly number[])[]
}

async function encodeExactly(
  text: string,
  characters: readonly string[],
  { native, withoutDropped }: TokenizerFile,
): Promise<Encoded> {
  const encoding = await native.encode(text)
  for (const { text: shorter, positions } of withoutDropped?.(characters) ?? []) {
    const again = await native.encode(shorter)
    if (again.getIds().join() !== encoding.getIds().join()) continue
    const before = ([start = 0, end = 0]: readonly number[]): readonly number[] => {
      const first = positions[start] ?? 0
      return [first, end > start ? (positions[end - 1] ?? 0) + 1 : first]
    }
    return { encoding, offsets: again.getOffsets().map(before) }
  }
  return { encoding, offsets: encoding.getOffsets() }
}

/** Tells the text's tokens from those around it, cuts to the model's length and looks the surfaces up. */
function assemble(
  characters: readonly string[],
  { encoding, offsets }: Encoded,
  preprocessing: TextPreprocessing,
  unknown: number | null,
): EncodedText {
  const ids = encoding.getIds()
  const names = encoding.getTokens()
  const types = encoding.getTypeIds()
  const isSpecial = encoding.getSpecialTokensMask().map((flag) => flag === 1)
  const first = isSpecial.indexOf(false)
  if (first < 0)
    throw new AppError({
      code: 'BAD_TEXT',
      message: 'no token is left of the text: all its characters are dropped by the tokenizer',
      userMessage: 'The text holds only invisible characters. Type or paste at least one word.',
    })
  const last = isSpecial.lastIndexOf(false)
  const pieces = range(first, last + 1)
  const spans = spansOf(
    characters,
    pieces.map((at) => ({ name: names[at] ?? '', start: offsets[at]?.[0] ?? 0, end: offsets[at]?.[1] ?? 0 })),
  )

  const room = preprocessing.maxTokens - (ids.length - pieces.length)
  if (room < 1)
    throw new AppError({ code: 'BAD_MODEL', message: `maxTokens ${preprocessing.maxTokens} leaves no room` })
  const headFraction = preprocessing.truncation === 'head-tail' ? (preprocessing.headFraction ?? 0.5) : 1
  const head = pieces.length > room ? Math.round(room * headFraction) : pieces.length
  const tail = pieces.length > room ? room - head : 0
  const cut = spans.slice(head, spans.length - tail)
  const firstCut = cut[0]
  const lastCut = cut.at(-1)

  const kept = [...range(0, first + head), ...range(last + 1 - tail, ids.length)]
  const length = characters.length
  const spanAt = (at: number): TokenSpan => {
    const position = at < first ? 0 : length
    return spans[at - first] ?? { text: names[at] ?? '', start: position, end: position }
  }
  const row = (values: readonly number[]): Tensor<BigInt64Array> => int64(values, [1, kept.length])
  const keptIds = kept.map((at) => ids[at] ?? 0)
  const special = kept.map((at) => at < first || at > last)
  return {
    ids: keptIds,
    special,
    tokens: kept.map(spanAt),
    feeds: {
      input_ids: row(keptIds),
      attention_mask: row(kept.map(() => 1)),
      token_type_ids: row(kept.map((at) => types[at] ?? 0)),
    },
    removed:
      firstCut === undefined || lastCut === undefined
        ? null
        : { start: firstCut.start, end: lastCut.end, tokens: cut.length },
    unknown: keptIds.flatMap((id, index) => (id === unknown && special[index] === false ? [index] : [])),
  }
}

/** start, start + 1, ... below end. */
function range(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index)
}
