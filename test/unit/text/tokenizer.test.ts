import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AutoTokenizer, env, PreTrainedTokenizer } from '@xenova/transformers'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
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
const surfaces = (text: string) => inner(tokenizer.encode(text, whole)).map((token) => token.text)
const codeOf = (action: () => unknown): string => {
  try {
    action()
  } catch (error) {
    return error instanceof AppError ? error.code : String(error)
  }
  return 'nothing thrown'
}

describe('against Python tokenizers', () => {
  // The JavaScript tokenizer lower-cases whole strings (final sigma, as Python's own BERT does) and looks for ideographs
  // in UTF-16 units (rare planes stay joined); the Rust one does neither. What runs here is the JavaScript one.
  const KNOWN_DIFFERENCES = ['\u039f\u0394\u039f\u03a3', '\u{20000}']
  const isKnown = (text: string) => KNOWN_DIFFERENCES.some((start) => text.startsWith(start))

  test.each(golden.cases.filter(({ text }) => !isKnown(text)))('ids and offsets of $text', ({ text, ids, offsets }) => {
    const encoded = tokenizer.encode(text, whole)
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

  test('the known differences are still differences', () => {
    const differing = golden.cases.filter(
      ({ text, ids }) => tokenizer.encode(text, whole).ids.slice(1, -1).join() !== ids.join(),
    )
    expect(differing.map(({ text }) => isKnown(text))).toEqual([true, true])
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
  ])('%j', (text, expected) => {
    expect(surfaces(text)).toEqual(expected)
  })

  test('special tokens have no extent and carry their names; typed ones are text', () => {
    const { tokens, special } = tokenizer.encode('ok [SEP]', whole)
    expect(tokens).toEqual([
      { text: '[CLS]', start: 0, end: 0 },
      { text: 'ok', start: 0, end: 2 },
      { text: '[SEP]', start: 3, end: 8 },
      { text: '[SEP]', start: 8, end: 8 },
    ])
    expect(special).toEqual([true, false, false, true])
  })

  test('a Hangul syllable shares its one character among its letters', () => {
    expect(inner(tokenizer.encode('\ud55c', whole))).toEqual([
      { text: '\ud55c', start: 0, end: 1 },
      { text: '\ud55c', start: 0, end: 1 },
      { text: '\ud55c', start: 0, end: 1 },
    ])
  })

  test('unknown pieces are listed', () => {
    const { tokens, unknown } = tokenizer.encode('good \u{1F600}\u{1F600} film', whole)
    expect(unknown.map((position) => tokens[position]?.text)).toEqual(['\u{1F600}\u{1F600}'])
  })
})

/** Mulberry32: the strings of this test are the same on every run. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

// [first, last] code points; drawn from evenly, so that the nasty ones are frequent.
const BLOCKS: readonly (readonly [number, number])[] = [
  [0x61, 0x7a], [0x61, 0x7a], [0x41, 0x5a], [0x20, 0x20], [0x20, 0x20], [0x00, 0x7f], [0x80, 0xff], [0x100, 0x24f],
  [0x300, 0x36f], [0x370, 0x3ff], [0x400, 0x52f], [0x590, 0x6ff], [0x900, 0x97f], [0xe00, 0xe7f], [0x1100, 0x11ff],
  [0x1b00, 0x1bff], [0x1e00, 0x1fff], [0x2000, 0x206f], [0x20d0, 0x214f], [0x2190, 0x27bf], [0x3000, 0x30ff],
  [0x4e00, 0x4fff], [0xac00, 0xadff], [0xe000, 0xe00f], [0xf900, 0xfaff], [0xfb00, 0xfb4f], [0xfe00, 0xfe0f],
  [0xfff0, 0xffff], [0x1d160, 0x1d17f], [0x1f1e6, 0x1f1ff], [0x1f3fb, 0x1f3ff], [0x1f600, 0x1f64f],
  [0x20000, 0x2000f], [0xe0020, 0xe007f],
] // prettier-ignore
const FRAGMENTS = ['[MASK]', '[SEP]', "n't", '<br />', '\u0130', '\u03a3', '\u00df', '\u200d', '\u302e\u0316', 'movie']

describe('random strings', () => {
  test('ids equal those of @xenova/transformers, spans lie in order within the text', async () => {
    env.allowRemoteModels = false
    env.localModelPath = ''
    const reference = await AutoTokenizer.from_pretrained(FOLDER, { local_files_only: true })
    const draw = generator(20_260_101)
    let encodedTexts = 0
    for (let round = 0; round < 1200; round += 1) {
      const text = Array.from({ length: 1 + draw(40) }, () => {
        const choice = draw(BLOCKS.length + 4)
        if (choice >= BLOCKS.length) return FRAGMENTS[draw(FRAGMENTS.length)]
        const [first, last] = BLOCKS[choice] ?? [97, 97]
        return String.fromCodePoint(first + draw(last - first + 1))
      }).join('')
      let encoded: EncodedText
      try {
        encoded = tokenizer.encode(text, whole)
      } catch (error) {
        // Nothing but invisible characters.
        expect([AppError.from(error).code, reference.encode(text)]).toEqual(['BAD_TEXT', [101, 102]])
        continue
      }
      encodedTexts += 1
      expect(encoded.ids).toEqual(reference.encode(text))
      const characters = [...text]
      let previous = { start: 0, end: 0 }
      for (const span of inner(encoded)) {
        expect(span.end).toBeGreaterThan(span.start)
        // Only a character that was split into several tokens may be shared.
        expect(span.start).toBeGreaterThanOrEqual(Math.min(previous.end, previous.start + 1) - 1)
        if (span.start < previous.end)
          expect([span.start, characters[span.start]?.normalize('NFD').length !== 1]).toEqual([previous.end - 1, true])
        expect(span.text).toBe(characters.slice(span.start, span.end).join(''))
        previous = span
      }
      expect(previous.end).toBeLessThanOrEqual(characters.length)
    }
    expect(encodedTexts).toBeGreaterThan(1150)
  })
})

describe('truncation', () => {
  const text = Array.from({ length: 30 }, (_, index) => `word${String.fromCharCode(97 + (index % 26))}`).join(' ')

  test('head-tail keeps 60 % and 40 % and names the characters between', () => {
    const all = tokenizer.encode(text, whole)
    const cut = tokenizer.encode(text, { ...card, maxTokens: 22 })
    expect(cut.ids).toHaveLength(22)
    expect(cut.ids).toEqual([...all.ids.slice(0, 13), ...all.ids.slice(-9)])
    expect(cut.removed).toEqual({
      start: all.tokens[13]?.start,
      end: all.tokens.at(-10)?.end,
      tokens: all.ids.length - 22,
    })
  })

  test('head keeps the start', () => {
    const all = tokenizer.encode(text, whole)
    const cut = tokenizer.encode(text, { ...whole, maxTokens: 12 })
    expect(cut.ids).toEqual([...all.ids.slice(0, 11), 102])
    expect(cut.removed).toEqual({ start: all.tokens[11]?.start, end: text.length, tokens: all.ids.length - 12 })
  })

  test('nothing is removed when all fits, to the token', () => {
    const all = tokenizer.encode(text, whole)
    expect(tokenizer.encode(text, { ...card, maxTokens: all.ids.length }).removed).toBeNull()
    expect(tokenizer.encode(text, { ...card, maxTokens: all.ids.length - 1 }).removed?.tokens).toBe(1)
  })

  test('feeds are int64 [1, T]', () => {
    const { ids, feeds } = tokenizer.encode('good film', card)
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
  ])('%s', (_, text, code) => {
    expect(codeOf(() => tokenizer.encode(text, card))).toBe(code)
  })

  test('not a string', () => {
    expect(codeOf(() => tokenizer.encode(7 as unknown as string, card))).toBe('BAD_TEXT')
  })

  test('the longest texts allowed are encoded', () => {
    for (const text of ['a '.repeat(MAX_WORDS), '!'.repeat(MAX_CHARACTERS)])
      expect(tokenizer.encode(text, card).ids.length).toBeLessThanOrEqual(512)
  })
})

test('ids that differ from those of @xenova/transformers are never explained', () => {
  const { ids } = tokenizer.encode('good film', card)
  const other = vi.spyOn(PreTrainedTokenizer.prototype, 'encode')
  try {
    for (const wrong of [[...ids.slice(1, -1), 7], ids.slice(1, -2), [7, ids[2] ?? 0]]) {
      other.mockReturnValueOnce(wrong)
      expect(codeOf(() => tokenizer.encode('good film', card))).toBe('INTERNAL')
    }
  } finally {
    other.mockRestore()
  }
})

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

  test('vocabulary by role', () => {
    expect(tokenizer.vocabulary).toEqual({ pad: 0, mask: 103, unknown: 100 })
    expect(tokenizer.vocabularySize).toBe(30522)
  })

  test('another kind of tokenizer is refused by name', async () => {
    const folder = await copy((json) => {
      json['model'] = { type: 'BPE', vocab: {}, merges: [] }
    })
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: 'BAD_MODEL', message: /BPE is not supported/u })
  })

  test('a missing folder is refused', async () => {
    await expect(loadTokenizer(join(FOLDER, 'nothing-here'))).rejects.toMatchObject({ code: 'BAD_MODEL' })
  })

  test('a cased tokenizer keeps case and accents; a card that says otherwise is refused', async () => {
    const folder = await copy((json) => {
      json['normalizer'] = { ...(json['normalizer'] as object), lowercase: false }
    })
    const cased = await loadTokenizer(folder)
    expect(cased.encode('cafe caf\u00e9 ok', { ...whole, lowercase: false }).unknown).toEqual([2])
    expect(cased.encode('OK ok', { ...whole, lowercase: false }).unknown).toEqual([1])
    expect(codeOf(() => cased.encode('ok', whole))).toBe('BAD_MODEL')
  })
})
