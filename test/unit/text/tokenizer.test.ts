import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AppError } from '../../../lib/errors.ts'
import { MAX_CHARACTERS, MAX_WORDS } from '../../../lib/text/limits.ts'
import { loadTokenizer, type EncodedText, type Tokenizer } from '../../../lib/text/tokenizer.ts'
import golden from '../../fixtures/text/tokenizer.json' with { type: 'json' }

const FOLDER = join(import.meta.dirname, '../../../models/reviews-minilm')
const whole = { kind: 'text', maxTokens: 1_000_000, truncation: 'head', lowercase: true } as const
const card = { kind: 'text', maxTokens: 512, truncation: 'head-tail', headFraction: 0.6, lowercase: true } as const

let tokenizer: Tokenizer
beforeAll(async () => {
  tokenizer = await loadTokenizer(FOLDER)
})
const inner = (encoded: EncodedText) => encoded.tokens.slice(1, -1)
const surfaces = async (text: string) => inner(await tokenizer.encode(text, whole)).map((token) => token.text)
const codeOf = async (action: () => Promise<unknown>): Promise<string> => {
  try {
    await action()
  } catch (error) {
    return error instanceof AppError ? error.code : String(error)
  }
  return 'nothing thrown'
}

describe('against Python tokenizers', () => {
  test.each(golden.cases)('ids and offsets of $text', async ({ text, ids, offsets }) => {
    const encoded = await tokenizer.encode(text, whole)
    expect(encoded.ids.slice(1, -1)).toEqual(ids)
    const characters = [...text]
    inner(encoded).forEach(({ text: surface, start, end }, index) => {
      const [from = -1, to = -1] = offsets[index] ?? []
      expect([start, surface]).toEqual([from, characters.slice(start, end).join('')])
      // Ours takes in the marks that stand on the last character and were dropped.
      expect(characters.slice(to, end).join('')).toMatch(/^[\p{M}\p{Grapheme_Extend}\u200d]*$/u)
      expect(end).toBeGreaterThanOrEqual(to)
    })
  })
})

describe('positions', () => {
  test.each([
    ['Caf\u00e9!', ['Caf\u00e9', '!']],
    ['cafe\u0301 e\u0301', ['cafe\u0301', 'e\u0301']],
    ["don't", ['don', "'", 't']],
    ['a\u200bb c', ['a\u200bb', 'c']],
    ['\u{1F468}\u200d\u{1F469} good', ['\u{1F468}\u200d\u{1F469}', 'good']],
    ['\u2764\ufe0f ok', ['\u2764\ufe0f', 'ok']],
    ['\u0130n', ['\u0130n']],
    ['\u6211\u7231', ['\u6211', '\u7231']],
    ['x<br />y', ['x', '<', 'br', '/', '>', 'y']],
    ['ok \u302e\u{1d165} x', ['ok', '\u302e\u{1d165}', 'x']], // kept marks that normalisation swaps
    ['say [MASK].', ['say', '[MASK]', '.']],
  ])('%j', async (text, expected) => {
    expect(await surfaces(text)).toEqual(expected)
  })

  test('special tokens have no extent and carry their names; typed ones are text', async () => {
    const { tokens, special } = await tokenizer.encode('ok [SEP]', whole)
    expect(tokens).toEqual([
      { text: '[CLS]', start: 0, end: 0 },
      { text: 'ok', start: 0, end: 2 },
      { text: '[SEP]', start: 3, end: 8 },
      { text: '[SEP]', start: 8, end: 8 },
    ])
    expect(special).toEqual([true, false, false, true])
  })

  test('a Hangul syllable shares its one character among its letters', async () => {
    expect(inner(await tokenizer.encode('\ud55c', whole))).toEqual([
      { text: '\ud55c', start: 0, end: 1 },
      { text: '\ud55c', start: 0, end: 1 },
      { text: '\ud55c', start: 0, end: 1 },
    ])
  })

  test('unknown pieces are listed', async () => {
    const { tokens, unknown } = await tokenizer.encode('good \u{1F600}\u{1F600} film', whole)
    expect(unknown.map((position) => tokens[position]?.text)).toEqual(['\u{1F600}\u{1F600}'])
  })
})

describe('truncation', () => {
  const text = Array.from({ length: 30 }, (_, index) => `word${String.fromCharCode(97 + (index % 26))}`).join(' ')

  test('head-tail keeps 60 % and 40 % and names the characters between', async () => {
    const all = await tokenizer.encode(text, whole)
    const cut = await tokenizer.encode(text, { ...card, maxTokens: 22 })
    expect(cut.ids).toHaveLength(22)
    expect(cut.ids).toEqual([...all.ids.slice(0, 13), ...all.ids.slice(-9)])
    expect(cut.removed).toEqual({
      start: all.tokens[13]?.start,
      end: all.tokens.at(-10)?.end,
      tokens: all.ids.length - 22,
    })
  })

  test('head keeps the start', async () => {
    const all = await tokenizer.encode(text, whole)
    const cut = await tokenizer.encode(text, { ...whole, maxTokens: 12 })
    expect(cut.ids).toEqual([...all.ids.slice(0, 11), 102])
    expect(cut.removed).toEqual({ start: all.tokens[11]?.start, end: text.length, tokens: all.ids.length - 12 })
  })

  test('nothing is removed when all fits, to the token', async () => {
    const all = await tokenizer.encode(text, whole)
    expect((await tokenizer.encode(text, { ...card, maxTokens: all.ids.length })).removed).toBeNull()
    expect((await tokenizer.encode(text, { ...card, maxTokens: all.ids.length - 1 })).removed?.tokens).toBe(1)
  })

  test('feeds are int64 [1, T]', async () => {
    const { ids, feeds } = await tokenizer.encode('good film', card)
    expect(feeds.input_ids).toEqual({ type: 'int64', dims: [1, 4], data: BigInt64Array.from(ids, BigInt) })
    expect([...feeds.attention_mask.data, ...feeds.token_type_ids.data].map(Number)).toEqual([1, 1, 1, 1, 0, 0, 0, 0])
  })
})

describe('refused texts', () => {
  test.each([
    ['empty', '', 'BAD_TEXT'],
    ['white space', ' \t\n\u00a0\u3000', 'BAD_TEXT'],
    ['only control characters', '\u0000\u0001\u200b', 'BAD_TEXT'],
    ['only stray accents', '\u0301\u0302', 'BAD_TEXT'],
    ['half an emoji', 'good \ud83d film', 'BAD_TEXT'],
    ['a heap of accents', 'a' + '\u0300\u0316'.repeat(5000), 'BAD_TEXT'],
    ['100,000 words', 'word '.repeat(100_000), 'TEXT_TOO_LONG'],
    ['one word too many', 'a '.repeat(MAX_WORDS + 1), 'TEXT_TOO_LONG'],
    ['one character too many', 'a'.repeat(MAX_CHARACTERS + 1), 'TEXT_TOO_LONG'],
    ['a flood', '\u{1F600}'.repeat(2_000_000), 'TEXT_TOO_LONG'],
  ])('%s', async (_, text, code) => {
    expect(await codeOf(() => tokenizer.encode(text, card))).toBe(code)
  })

  test('not a string', async () => {
    expect(await codeOf(() => tokenizer.encode(7 as unknown as string, card))).toBe('BAD_TEXT')
  })

  test('the longest texts allowed are encoded', async () => {
    for (const text of ['a '.repeat(MAX_WORDS), '!'.repeat(MAX_CHARACTERS)])
      expect((await tokenizer.encode(text, card)).ids.length).toBeLessThanOrEqual(512)
  })
})

/** The parts of tokenizer.json that are spoilt below. */
interface Json extends Record<string, unknown> {
  model: Record<string, unknown>
  readonly post_processor: Record<string, unknown> & { readonly single: unknown[] }
}

describe('loading', () => {
  const folders: string[] = []
  const copy = async (edit: (json: Record<string, unknown>) => void): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'limelight-tokenizer-'))
    folders.push(folder)
    const json = JSON.parse(await readFile(join(FOLDER, 'tokenizer.json'), 'utf8')) as Record<string, unknown>
    edit(json)
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(json))
    await writeFile(join(folder, 'tokenizer_config.json'), await readFile(join(FOLDER, 'tokenizer_config.json')))
    return folder
  }
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

  const refusal = (found: string) => ({ code: 'BAD_MODEL', userMessage: expect.stringContaining(found) as string })
  /** A folder with these files, the bundled tokenizer.json among them unless it is given. */
  const folderOf = async (files: Readonly<Record<string, string>>): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'limelight-tokenizer-'))
    folders.push(folder)
    const all = { 'tokenizer.json': await readFile(join(FOLDER, 'tokenizer.json'), 'utf8'), ...files }
    await Promise.all(Object.entries(all).map(([name, content]) => writeFile(join(folder, name), content)))
    return folder
  }

  test('vocabulary by role', () => {
    expect(tokenizer.vocabulary).toEqual({ pad: 0, mask: 103, unknown: 100, cls: 101, sep: 102 })
    expect(tokenizer.vocabularySize).toBe(30522)
  })

  test.each([
    ['no configuration', {}],
    ['a configuration that names none', { 'tokenizer_config.json': '{"mask_token": null, "unk_token": ""}' }],
    [
      'special_tokens_map.json',
      { 'special_tokens_map.json': '{"mask_token": {"content": "[MASK]"}, "pad_token": "[PAD]"}' },
    ],
  ])('roles are found with %s', async (_, files) => {
    const { vocabulary } = await loadTokenizer(await folderOf(files))
    expect(vocabulary).toEqual({ pad: 0, mask: 103, unknown: 100, cls: 101, sep: 102 })
  })

  test('what a configuration names counts before what the map names, and both before the usual names', async () => {
    const map = JSON.stringify({ mask_token: '[PAD]', sep_token: 'good' })
    const files = { 'tokenizer_config.json': '{"mask_token": "film"}', 'special_tokens_map.json': map }
    expect((await loadTokenizer(await folderOf(files))).vocabulary).toMatchObject({ mask: 2143, sep: 2204, pad: 0 })
  })

  test('a configuration that names what the vocabulary lacks is refused, and so is a broken one', async () => {
    const lacking = await folderOf({ 'tokenizer_config.json': '{"mask_token": "<mask>"}' })
    await expect(loadTokenizer(lacking)).rejects.toMatchObject(
      refusal('tokenizer_config.json names <mask> as mask_token, which the vocabulary lacks'),
    )
    const broken = await folderOf({ 'special_tokens_map.json': '{"mask_token": 7}' })
    await expect(loadTokenizer(broken)).rejects.toMatchObject(refusal('special_tokens_map.json cannot be read'))
  })

  test.each<[string, string | ((json: Json) => void), string]>([
    ['not JSON', '{"model":', 'tokenizer.json is not JSON'],
    ['an empty file', '', 'tokenizer.json is not JSON'],
    ['no tokenizer', '{"model": {"type": "Sorter"}}', 'tokenizer.json is not a tokenizer'],
    ['an unknown token that is not there', (json) => (json.model['unk_token'] = '[NO]'), 'no [NO], its unk_token'],
    [
      'an added token whose id cannot be',
      (json) => (json.model['vocab'] = { a: 0 }),
      'added_tokens gives [PAD] the id 0',
    ],
    // The native library ends the process on these.
    ['a template without its token', (json) => (json.post_processor['special_tokens'] = {}), 'puts in [CLS]'],
    [
      'a template with the text twice',
      (json) => json.post_processor.single.push({ Sequence: { id: 'A' } }),
      'exactly once',
    ],
    [
      'a broken compiled normaliser',
      (json) => (json['normalizer'] = { type: 'Precompiled', precompiled_charsmap: 'AAAA' }),
      'precompiled_charsmap',
    ],
    ['a splitter by nothing', (json) => (json['pre_tokenizer'] = { type: 'FixedLength', length: 0 }), 'FixedLength'],
    [
      'a merge shorter than its prefix',
      (json) =>
        (json['model'] = {
          type: 'BPE',
          vocab: { a: 0, b: 1, ab: 2 },
          merges: [['a', 'b']],
          continuing_subword_prefix: '##',
        }),
      'continuing_subword_prefix',
    ],
  ])('refused: %s', async (_, file, found) => {
    const folder =
      typeof file === 'string'
        ? await folderOf({ 'tokenizer.json': file })
        : await copy(file as (json: Record<string, unknown>) => void)
    await expect(loadTokenizer(folder)).rejects.toMatchObject(refusal(found))
    await expect(loadTokenizer(folder)).rejects.toMatchObject(refusal('save_pretrained()'))
  })

  test('a missing folder is refused', async () => {
    await expect(loadTokenizer(join(FOLDER, 'nothing-here'))).rejects.toMatchObject(
      refusal('there is no tokenizer.json'),
    )
  })

  test('the file that the card names is the one that is read, with what lies beside it', async () => {
    const folder = await folderOf({ 'tokenizer.json': 'not this one' })
    await mkdir(join(folder, 'words'))
    await copyFile(join(FOLDER, 'tokenizer.json'), join(folder, 'words/mine.json'))
    await writeFile(join(folder, 'words/tokenizer_config.json'), '{"mask_token": "film"}')
    expect((await loadTokenizer(folder, 'words/mine.json')).vocabulary.mask).toBe(2143)
  })

  test('cutting, padding and dropout of the file are not used', async () => {
    const folder = await copy((json) => {
      json['truncation'] = { max_length: 3, strategy: 'LongestFirst', stride: 0, direction: 'Right' }
      json['padding'] = { strategy: { Fixed: 20 }, direction: 'Right', pad_id: 0, pad_type_id: 0, pad_token: '[PAD]' }
    })
    const settled = await loadTokenizer(folder)
    expect((await settled.encode('a good film', whole)).ids).toEqual((await tokenizer.encode('a good film', whole)).ids)
  })

  test('a cancelled run is not waited for', async () => {
    const stopped = AbortSignal.abort()
    await expect(tokenizer.encode('good film', card, stopped)).rejects.toMatchObject({ code: 'CANCELLED' })
    const stop = new AbortController()
    const encoding = tokenizer.encode('\u7535'.repeat(MAX_CHARACTERS), card, stop.signal)
    stop.abort()
    await expect(encoding).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  test('a cased tokenizer keeps case and accents; a card that says otherwise is refused', async () => {
    const folder = await copy((json) => {
      json['normalizer'] = { ...(json['normalizer'] as object), lowercase: false }
    })
    const cased = await loadTokenizer(folder)
    expect((await cased.encode('cafe caf\u00e9 ok', { ...whole, lowercase: false })).unknown).toEqual([2])
    expect((await cased.encode('OK ok', { ...whole, lowercase: false })).unknown).toEqual([1])
    expect(await codeOf(() => cased.encode('ok', whole))).toBe('BAD_MODEL')
  })
})
