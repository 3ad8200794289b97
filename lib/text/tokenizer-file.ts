/** Reads `tokenizer.json` and `tokenizer_config.json` (Hugging Face's layout): what Limelight supports, and clear refusals. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../errors.ts'
import type { BertNormalizerConfig } from './bert-normalizer.ts'
import type { WordPieceConfig } from './wordpiece.ts'

export interface TokenizerFile {
  /** The parsed files as they are, for @xenova/transformers. */
  readonly json: object
  readonly config: object
  readonly normalizer: BertNormalizerConfig
  readonly model: WordPieceConfig
  /** Entries found in the text as they stand, before it is normalised: `[MASK]` typed by hand is the mask. */
  readonly addedTokens: ReadonlyMap<string, number>
  /** Special tokens put before and after a text. */
  readonly prefix: readonly SpecialToken[]
  readonly suffix: readonly SpecialToken[]
  readonly pad: number | null
  readonly mask: number | null
  readonly unknown: number
}
export interface SpecialToken {
  readonly id: number
  readonly name: string
}

const typed = z.looseObject({ type: z.string() })
const tokenizerJson = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string(), normalized: z.boolean().optional() })),
  normalizer: typed.nullable(),
  pre_tokenizer: typed.nullable(),
  post_processor: typed.nullable(),
  model: z.looseObject({ type: z.string().optional() }),
})
const bertNormalizer = z.looseObject({
  clean_text: z.boolean(),
  handle_chinese_chars: z.boolean(),
  strip_accents: z.boolean().nullable(),
  lowercase: z.boolean(),
})
const wordPiece = z.looseObject({
  unk_token: z.string(),
  continuing_subword_prefix: z.string(),
  max_input_chars_per_word: z.int().positive(),
  vocab: z.record(z.string(), z.int().nonnegative()),
})
const template = z.looseObject({
  single: z.array(
    z.union([
      z.looseObject({ SpecialToken: z.looseObject({ id: z.string() }) }),
      z.looseObject({ Sequence: z.looseObject({}) }),
    ]),
  ),
})
const bertProcessing = z.looseObject({ cls: z.tuple([z.string(), z.int()]), sep: z.tuple([z.string(), z.int()]) })
const tokenizerConfig = z.looseObject({ pad_token: z.unknown().optional(), mask_token: z.unknown().optional() })

/** @throws AppError BAD_MODEL naming the file and what is wrong or not supported. */
export async function readTokenizerFile(folder: string): Promise<TokenizerFile> {
  const path = join(folder, 'tokenizer.json')
  const json = await readJson(path)
  const configJson = await readJson(join(folder, 'tokenizer_config.json'))
  const parse = <T>(schema: z.ZodType<T>, value: unknown, part: string): T => {
    const result = schema.safeParse(value)
    if (result.success) return result.data
    throw badModel(`${path}: ${part} is not as expected: ${z.prettifyError(result.error)}`, result.error)
  }
  const file = parse(tokenizerJson, json, 'the file')
  const supported = (part: string, found: string | undefined, wanted: readonly string[]): void => {
    if (found === undefined || !wanted.includes(found))
      throw badModel(
        `${path}: ${part} of type ${found ?? 'none'} is not supported; Limelight reads ${wanted.join(', ')}. ` +
          'Use a model with a BERT (WordPiece) tokenizer.',
      )
  }
  supported('model', file.model.type, ['WordPiece'])
  supported('normalizer', file.normalizer?.type, ['BertNormalizer'])
  supported('pre_tokenizer', file.pre_tokenizer?.type, ['BertPreTokenizer'])
  supported('post_processor', file.post_processor?.type, ['TemplateProcessing', 'BertProcessing'])
  const model = parse(wordPiece, file.model, 'model')
  const vocabulary = new Map(Object.entries(model.vocab))
  const idOf = (name: string): number => {
    const id = addedTokens.get(name) ?? vocabulary.get(name)
    if (id === undefined) throw badModel(`${path}: the vocabulary has no ${name}`)
    return id
  }
  const addedTokens = new Map(file.added_tokens.map(({ content, id }) => [content, id]))
  const normalized = file.added_tokens.find((token) => token.normalized === true)
  if (normalized !== undefined)
    throw badModel(`${path}: added token ${normalized.content} with "normalized": true is not supported`)
  const named = (value: unknown): number | null =>
    typeof value === 'string' ? (addedTokens.get(value) ?? vocabulary.get(value) ?? null) : null
  const special = (name: string): SpecialToken => ({ id: idOf(name), name })
  const around = ((): { prefix: SpecialToken[]; suffix: SpecialToken[] } => {
    if (file.post_processor?.type === 'BertProcessing') {
      const { cls, sep } = parse(bertProcessing, file.post_processor, 'post_processor')
      return { prefix: [special(cls[0])], suffix: [special(sep[0])] }
    }
    const { single } = parse(template, file.post_processor, 'post_processor')
    const names = single.map((item) => ('SpecialToken' in item ? (item.SpecialToken as { id: string }).id : null))
    const middle = names.indexOf(null)
    if (middle < 0 || middle !== names.lastIndexOf(null))
      throw badModel(`${path}: post_processor must hold the text exactly once`)
    const specials = (part: readonly (string | null)[]): SpecialToken[] =>
      part.filter((name) => name !== null).map(special)
    return { prefix: specials(names.slice(0, middle)), suffix: specials(names.slice(middle + 1)) }
  })()
  const config = parse(tokenizerConfig, configJson, 'tokenizer_config.json')
  return {
    json: file,
    config,
    normalizer: parse(bertNormalizer, file.normalizer, 'normalizer'),
    model: {
      vocabulary,
      unknown: model.unk_token,
      continuingPrefix: model.continuing_subword_prefix,
      maxCharactersPerWord: model.max_input_chars_per_word,
      longestEntry: [...vocabulary.keys()].reduce((longest, entry) => Math.max(longest, entry.length), 1),
    },
    addedTokens,
    ...around,
    pad: named(config.pad_token),
    mask: named(config.mask_token),
    unknown: idOf(model.unk_token),
  }
}

function badModel(message: string, cause?: unknown): AppError {
  return new AppError({ code: 'BAD_MODEL', message, cause })
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown
  } catch (cause) {
    throw badModel(`${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
}
