/**
 * Opens `tokenizer.json` (Hugging Face's layout) in the native tokenizers library: WordPiece, BPE, byte-level BPE, Unigram,
 * WordLevel, with whatever normaliser, pre-tokeniser and post-processor the file names.
 */
import { readFile, stat } from 'node:fs/promises'
import { Tokenizer as NativeTokenizer } from 'tokenizers'
import { z } from 'zod'
import { AppError } from '../errors.ts'
import { withoutDropped, type WithoutDropped } from './dropped.ts'

export interface TokenizerFile {
  /** Neither cuts nor pads, draws nothing at random, and gives offsets that hold the white space of a token. */
  readonly native: NativeTokenizer
  /** The entry that stands for what the vocabulary lacks; null where there is none, as where every byte is known. */
  readonly unknown: string | null
  /** Added tokens with the ids that the file gives them. */
  readonly added: ReadonlyMap<string, number>
  /** For texts whose offsets the library gets wrong; null where its normaliser does not. */
  readonly withoutDropped: WithoutDropped | null
}

/** The largest real one (Gemma's, 256,000 entries) has 33 MB. */
const MAX_BYTES = 128 * 2 ** 20
const REMEDY = 'Save the tokenizer again with save_pretrained() of its fast class, which writes tokenizer.json.'

type Json = Record<string, unknown>
const part = z.looseObject({ type: z.string().optional() })
const specialToken = z.looseObject({ SpecialToken: z.looseObject({ id: z.string() }) })
const template = z.looseObject({
  single: z.array(z.union([specialToken, z.looseObject({ Sequence: z.looseObject({ id: z.string() }) })])),
  special_tokens: z.record(z.string(), z.unknown()),
})
const tokenizerJson = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string() })).default([]),
  normalizer: part.nullish(),
  pre_tokenizer: part.nullish(),
  post_processor: part.nullish(),
  model: z.looseObject({
    unk_token: z.string().nullish(),
    unk_id: z.int().nonnegative().nullish(),
    dropout: z.number().nullish(),
    continuing_subword_prefix: z.string().nullish(),
  }),
})

/**
 * @param path of the tokenizer.json.
 * @throws AppError BAD_MODEL where it is missing, larger than 128 MiB, not JSON, not a tokenizer, or one that the native
 *   library would abort the process on.
 */
export async function openTokenizerFile(path: string): Promise<TokenizerFile> {
  const text = await textOf(path)
  const read = tokenizerJson.safeParse(parsed(text, path))
  if (!read.success) throw badTokenizer(path, z.prettifyError(read.error), read.error)
  const file = read.data
  refuseWhatAborts(file, path)
  const native = nativeOf(settle(file) ? JSON.stringify(file) : text, path)
  native.disableTruncation()
  native.disablePadding()
  const added = new Map(file.added_tokens.map(({ content, id }) => [content, id]))
  const compiled = partsOf(file.normalizer, 'normalizers').some(({ type }) => type === 'Precompiled')
  const normalizer = compiled ? native.getNormalizer() : null
  return {
    native,
    unknown: unknownOf(file.model, native, path),
    added,
    withoutDropped: normalizer === null ? null : withoutDropped((character) => normalizer.normalizeString(character)),
  }
}

/** A tokenizer that cannot be used: `found` says what is wrong with the file. */
export function badTokenizer(path: string, found: string, cause?: unknown): AppError {
  return new AppError({
    code: 'BAD_MODEL',
    message: `${path}: ${found}. ${REMEDY}`,
    userMessage: `The model's tokenizer cannot be used: ${found}. ${REMEDY}`,
    cause,
  })
}

/** Takes out of the file what would make offsets or ids vary. @returns whether there was any of it. */
function settle(file: z.infer<typeof tokenizerJson>): boolean {
  const trimming = partsOf(file.post_processor, 'processors').filter((processor) => processor['trim_offsets'] === true)
  for (const processor of trimming) processor['trim_offsets'] = false
  // Merges left out at random, for training; a score must not depend on the draw.
  const random = typeof file.model.dropout === 'number'
  if (random) file.model.dropout = null
  return random || trimming.length > 0
}

async function textOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => null)
  if (found?.isFile() !== true) throw badTokenizer(path, 'there is no tokenizer.json')
  if (found.size > MAX_BYTES)
    throw badTokenizer(path, `tokenizer.json has ${found.size} bytes, more than the ${MAX_BYTES} that are read`)
  return readFile(path, 'utf8')
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw badTokenizer(path, `tokenizer.json is not JSON (${reasonOf(cause)})`, cause)
  }
}

function nativeOf(text: string, path: string): NativeTokenizer {
  try {
    return NativeTokenizer.fromString(text)
  } catch (cause) {
    throw badTokenizer(path, `tokenizer.json is not a tokenizer (${reasonOf(cause)})`, cause)
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function unknownOf(
  model: z.infer<typeof tokenizerJson>['model'],
  native: NativeTokenizer,
  path: string,
): string | null {
  const { unk_token: token, unk_id: id } = model
  if (token !== null && token !== undefined && token !== '') {
    if (native.tokenToId(token) === null) throw badTokenizer(path, `the vocabulary has no ${token}, its unk_token`)
    return token
  }
  return id === null || id === undefined ? null : native.idToToken(id)
}

/** A part of a tokenizer, or the parts of a Sequence of them: the file's own objects, which may be changed. */
function partsOf(whole: Json | null | undefined, inSequence: string): readonly Json[] {
  if (whole === null || whole === undefined) return []
  const inner = whole[inSequence]
  if (whole['type'] !== 'Sequence' || !Array.isArray(inner)) return [whole]
  return inner.flatMap((one: unknown) => partsOf(part.safeParse(one).success ? (one as Json) : null, inSequence))
}

/** What the library answers with a panic, which ends the process, is refused before it is asked. */
function refuseWhatAborts(file: z.infer<typeof tokenizerJson>, path: string): void {
  for (const processor of partsOf(file.post_processor, 'processors')) {
    if (processor['type'] !== 'TemplateProcessing') continue
    const read = template.safeParse(processor)
    if (!read.success) throw badTokenizer(path, `post_processor: ${z.prettifyError(read.error)}`, read.error)
    const { single, special_tokens: known } = read.data
    const names = single.flatMap((one) => ('SpecialToken' in one ? [(one.SpecialToken as { id: string }).id] : []))
    if (single.length - names.length !== 1)
      throw badTokenizer(path, 'post_processor holds the text other than exactly once')
    const missing = names.find((name) => !Object.hasOwn(known, name))
    if (missing !== undefined) throw badTokenizer(path, `post_processor puts in ${missing} without giving its id`)
  }
  for (const normalizer of partsOf(file.normalizer, 'normalizers'))
    if (normalizer['type'] === 'Precompiled' && !isCharsmap(normalizer['precompiled_charsmap']))
      throw badTokenizer(path, 'precompiled_charsmap of the normalizer is broken')
  for (const splitter of partsOf(file.pre_tokenizer, 'pretokenizers'))
    if (splitter['type'] === 'FixedLength' && !(Number(splitter['length']) >= 1))
      throw badTokenizer(path, 'pre_tokenizer FixedLength has no length')
  const merges = file.model['merges']
  const prefix = file.model.continuing_subword_prefix?.length ?? 0
  if (prefix === 0 || !Array.isArray(merges)) return
  for (const merge of merges as readonly unknown[]) {
    const [, right] = typeof merge === 'string' ? merge.split(' ') : (merge as readonly string[])
    if (typeof right !== 'string' || right.length < prefix)
      throw badTokenizer(path, `a merge (${JSON.stringify(merge)}) is shorter than continuing_subword_prefix`)
  }
}

/** Base64 of a trie's length in bytes, little-endian, the trie, and its strings, as SentencePiece compiles them. */
function isCharsmap(value: unknown): boolean {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/u.test(value)) return false
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length < 4) return false
  const trie = bytes.readUInt32LE(0)
  return trie > 0 && trie % 4 === 0 && trie <= bytes.length - 4
}
