/** Which ids pad, mask and frame a text: by what the files beside tokenizer.json name, else by the names models use. */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../errors.ts'
import { SPECIAL_TOKEN_FILES } from '../models/card.ts'
import type { Conventions } from './feeds.ts'
import { badTokenizer, type TokenizerFile } from './tokenizer-file.ts'

/** Ids by role; null where the tokenizer has none. */
export interface SpecialIds {
  readonly pad: number | null
  readonly mask: number | null
  readonly unknown: number | null
  /** First token of a text, whose state classifiers read; its beginning-of-text where it has no such token. */
  readonly cls: number | null
  /** Ends a text or parts two; its end-of-text where it has no such token. */
  readonly sep: number | null
}

// Left out, null and '' all say: none named. Older files hold the whole added token.
const named = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish()
const names = z.looseObject({
  tokenizer_class: z.string().nullish(),
  pad_token: named,
  mask_token: named,
  unk_token: named,
  cls_token: named,
  sep_token: named,
  bos_token: named,
  eos_token: named,
})
type Name = 'pad_token' | 'mask_token' | 'unk_token' | 'cls_token' | 'sep_token' | 'bos_token' | 'eos_token'

/** Per role: what configurations call it, then the entries that stand for it where they name none. */
const ROLES: Readonly<Record<keyof SpecialIds, { named: readonly Name[]; usual: readonly string[] }>> = {
  pad: { named: ['pad_token'], usual: ['[PAD]', '<pad>'] },
  mask: { named: ['mask_token'], usual: ['[MASK]', '<mask>'] },
  unknown: { named: ['unk_token'], usual: ['[UNK]', '<unk>'] },
  cls: { named: ['cls_token', 'bos_token'], usual: ['[CLS]', '<s>'] },
  sep: { named: ['sep_token', 'eos_token'], usual: ['[SEP]', '</s>'] },
}

/** Their positions begin behind the padding's id. BART shares the vocabulary, and counts from 0. */
const POSITIONS_BEHIND_PADDING = /^(XLM)?-?(Roberta|Camembert|MPNet|Longformer|XLMRoberta)/i
const GENERIC = /^(PreTrainedTokenizer|TokenizersBackend)/

/**
 * How models of this vocabulary count and begin: by the tokenizer's class, or where that says nothing by RoBERTa's own
 * frame, <s> at 0, <pad> at 1 and a <mask>.
 */
function conventionsOf({ pad, mask, cls, sep }: SpecialIds, kind: string | undefined): Conventions {
  const isGeneric = kind === undefined || GENERIC.test(kind)
  const isBehind = isGeneric ? cls === 0 && pad === 1 && mask !== null : POSITIONS_BEHIND_PADDING.test(kind)
  return {
    firstPosition: isBehind && pad !== null ? pad + 1 : 0,
    // BART's decoder begins with what ends a text; T5's, whose texts have no beginning, with padding.
    decoderStart: cls === null ? pad : sep,
  }
}

export interface SpecialTokens {
  readonly vocabulary: SpecialIds
  readonly conventions: Conventions
}

/**
 * @param path of the tokenizer.json; the files beside it may be missing.
 * @throws AppError BAD_MODEL where one of them is broken, or names a token that the vocabulary lacks.
 */
export async function specialIds(path: string, { native, unknown, added }: TokenizerFile): Promise<SpecialTokens> {
  const files = await Promise.all(SPECIAL_TOKEN_FILES.map((name) => namesIn(join(dirname(path), name))))
  const tokenNamed = (name: Name): string | null => {
    for (const [index, file] of files.entries()) {
      const value = file[name]
      const token = typeof value === 'string' ? value : value?.content
      if (token === undefined || token === '') continue
      if (native.tokenToId(token) !== null) return token
      throw badTokenizer(path, `${SPECIAL_TOKEN_FILES[index]} names ${token} as ${name}, which the vocabulary lacks`)
    }
    return null
  }
  const idOf = (role: keyof SpecialIds): number | null => {
    const found = ROLES[role].named.map(tokenNamed).find((token) => token !== null)
    const token = found ?? ROLES[role].usual.find((usual) => native.tokenToId(usual) !== null)
    if (token === undefined) return null
    const id = native.tokenToId(token)
    const stated = added.get(token) ?? id
    if (stated === id) return id
    // The library numbers added tokens in a row, whatever the file says.
    throw badTokenizer(path, `added_tokens gives ${token} the id ${stated}, where only ${id} can follow`)
  }
  const vocabulary: SpecialIds = {
    pad: idOf('pad'),
    mask: idOf('mask'),
    // What the model itself puts in place of what it does not know, whatever a configuration calls so.
    unknown: unknown === null ? idOf('unknown') : native.tokenToId(unknown),
    cls: idOf('cls'),
    sep: idOf('sep'),
  }
  const kind = files.map((file) => file.tokenizer_class ?? undefined).find((one) => one !== undefined)
  return { vocabulary, conventions: conventionsOf(vocabulary, kind) }
}

async function namesIn(path: string): Promise<z.infer<typeof names>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch {
    return {}
  }
  try {
    return names.parse(JSON.parse(text))
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause)
    throw new AppError({
      code: 'BAD_MODEL',
      message: `${path} cannot be read: ${reason}. Correct it, or take it away: it is not needed.`,
      cause,
    })
  }
}
