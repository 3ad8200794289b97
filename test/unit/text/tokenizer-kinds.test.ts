import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Tokenizer as NativeTokenizer } from 'tokenizers'
import { beforeAll, describe, expect, test } from 'vitest'
import { AppError } from '../../../lib/errors.ts'
import { loadTokenizer, type EncodedText, type Tokenizer } from '../../../lib/text/tokenizer.ts'
import { groupWords } from '../../../lib/text/words.ts'
import golden from '../../fixtures/text/tokenizers/golden.json' with { type: 'json' }
import { nastyStrings } from '../../helpers/nasty-strings.ts'

// One tokenizer of each kind, held against Python's `tokenizers`: first the library's own ids and offsets, then the
// policy of lib/text/spans.ts on top of them, by ways of its own to say which characters a token is made of.
const FIXTURES = join(import.meta.dirname, '../../fixtures/text/tokenizers')
const KINDS = [
  { kind: 'wordpiece', folder: join(import.meta.dirname, '../../../models/reviews-minilm'), lowercase: true },
  { kind: 'bpe-byte-fallback', folder: join(FIXTURES, 'bpe-byte-fallback'), lowercase: false },
  { kind: 'byte-level-bpe', folder: join(FIXTURES, 'byte-level-bpe'), lowercase: false },
  { kind: 'unigram', folder: join(FIXTURES, 'unigram'), lowercase: false },
] as const
type Kind = (typeof KINDS)[number]['kind']

const STRINGS = nastyStrings()
/** For our policy, which takes longer: all of them were tried when it was written. */
const SOME = STRINGS.filter((_, index) => index % 4 === 0)
const whole = (lowercase: boolean) => ({ kind: 'text', maxTokens: 1_000_000, truncation: 'head', lowercase }) as const

test('the strings are those that Python was asked with', () => {
  const hash = createHash('sha256')
  for (const text of STRINGS) hash.update(`${[...text].length}:${text}`)
  expect(hash.digest('hex')).toBe(golden.stringsSha256)
})

/** The text's encoding, or null where there is nothing in it to explain. */
async function encoded(tokenizer: Tokenizer, text: string, lowercase: boolean): Promise<EncodedText | null> {
  try {
    return await tokenizer.encode(text, whole(lowercase))
  } catch (error) {
    expect(AppError.from(error).code).toBe('BAD_TEXT')
    return null
  }
}

describe.each(KINDS)('$kind', ({ kind, folder, lowercase }) => {
  const file = join(folder, 'tokenizer.json')
  const expected = golden.kinds[kind]
  let tokenizer: Tokenizer
  let native: NativeTokenizer
  beforeAll(async () => {
    tokenizer = await loadTokenizer(folder)
    native = NativeTokenizer.fromFile(file)
  })

  test('the file is the one that Python read', async () => {
    expect(
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    ).toBe(expected.sha256)
  })

  test('the library: ids and offsets of 10,000 strings', async () => {
    const differing: string[][] = []
    for (let start = 0; start < STRINGS.length; start += 10) {
      const block = STRINGS.slice(start, start + 10)
      const answers = await native.encodeBatch(block)
      const told = JSON.stringify(answers.map((answer) => [answer.getIds(), answer.getOffsets()]))
      const digest = createHash('sha256').update(told).digest('hex').slice(0, 8)
      if (digest !== expected.blocks.slice((start / 10) * 8, (start / 10 + 1) * 8)) differing.push(block)
    }
    expect(differing).toEqual([])
  })

  test('the library: texts spelled out, and pairs', async () => {
    for (const { text, ids, offsets, special } of expected.cases) {
      const answer = await native.encode(text)
      expect([text, answer.getIds(), answer.getOffsets()]).toEqual([text, ids, offsets])
      expect(answer.getSpecialTokensMask()).toEqual(special)
    }
    for (const { text, pair, ids, offsets, types } of expected.pairs) {
      const answer = await native.encode(text, pair)
      expect([answer.getIds(), answer.getOffsets(), answer.getTypeIds()]).toEqual([ids, offsets, types])
    }
  })

  test('ours: the same ids, each token on the characters it is made of', async () => {
    const faults: unknown[] = []
    let told = 0
    for (const text of SOME) {
      const ours = await encoded(tokenizer, text, lowercase)
      if (ours === null) continue
      const answer = await native.encode(text)
      expect(ours.ids).toEqual(answer.getIds())
      expect(ours.special).toEqual(answer.getSpecialTokensMask().map((flag) => flag === 1))
      const characters = [...text]
      const names = answer.getTokens()
      const madeOf = MADE_OF[kind](characters, names, ours)
      let previous = { start: 0, end: 0 }
      ours.tokens.forEach((span, index) => {
        const { start, end } = span
        const surface = characters.slice(start, end).join('')
        const holds =
          ours.special[index] === true
            ? start === end && span.text === names[index]
            : // In order, and shared only where a character became several tokens.
              start >= previous.start &&
              start >= previous.end - 1 &&
              (end >= previous.end || start === end) &&
              span.text === (start === end ? names[index] : surface) &&
              // No white space at an end of a token that has something else.
              (surface.trim() === '' || surface === surface.trim()) &&
              madeOf(span, index)
        if (!holds) faults.push({ text, name: names[index], span, previous })
        if (ours.special[index] === false) previous = span
      })
      told += 1
    }
    expect(faults).toEqual([])
    expect(told).toBeGreaterThan(2_400)
  })

  test('words: every token in one, in order, sums kept', async () => {
    const faults: unknown[] = []
    for (const text of SOME) {
      const ours = await encoded(tokenizer, text, lowercase)
      if (ours === null) continue
      const tokens = ours.tokens.map((token, index) => ({ ...token, score: 1, special: ours.special[index] ?? false }))
      const words = groupWords(text, tokens, 'sum')
      expect(words.reduce((sum, { score }) => sum + score, 0)).toBe(tokens.length)
      const characters = [...text]
      let reached = 0
      for (const word of words.filter(({ special }) => !special)) {
        const surface = characters.slice(word.start, word.end).join('')
        if (word.start < reached || (surface !== '' && surface !== word.text)) faults.push({ text, word, reached })
        reached = word.end
      }
    }
    expect(faults).toEqual([])
  })
})

/** Whether a token's span holds the characters that the token was made of. */
type MadeOf = (span: { readonly start: number; readonly end: number }, index: number) => boolean

/** How a byte is written in a byte-level vocabulary: GPT-2's table, told by rule. */
function byteOf(character: string): number {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x100) return code
  const moved = [...Array(0x100).keys()].filter(
    (byte) => byte <= 0x20 || (byte >= 0x7f && byte <= 0xa0) || byte === 0xad,
  )
  return moved[code - 0x100] ?? -1
}

/** Walks along the text's bytes: token by token, the characters that its bytes are in. */
function alongBytes(characters: readonly string[], bytesOf: (index: number) => readonly number[]): MadeOf {
  const owner: number[] = []
  const bytes: number[] = []
  characters.forEach((character, position) => {
    for (const byte of encoder.encode(character)) {
      owner.push(position)
      bytes.push(byte)
    }
  })
  let at = 0
  return (span, index) => {
    const own = bytesOf(index)
    if (own.some((byte, offset) => bytes[at + offset] !== byte)) return false
    let start = owner[at] ?? characters.length
    let end = own.length === 0 ? start : (owner[at + own.length - 1] ?? 0) + 1
    at += own.length
    if (characters.slice(start, end).join('').trim() !== '') {
      while (characters[start]?.trim() === '') start += 1
      while (characters[end - 1]?.trim() === '') end -= 1
    }
    return span.start === start && span.end === end
  }
}

const encoder = new TextEncoder()
/** For texts whose tokens are not told by their names: special tokens and the mark for a space typed by hand. */
const UNTOLD: MadeOf = () => true

/** Per kind, by a way of this test's own. */
const MADE_OF: Readonly<
  Record<Kind, (characters: readonly string[], names: readonly string[], ours: EncodedText) => MadeOf>
> = {
  // Every entry is a piece of the normalised text.
  wordpiece: (characters, names, ours) => (span, index) => {
    const name = (names[index] ?? '').replace(/^##(?=.)/u, '')
    if (ours.unknown.includes(index) || name.startsWith('[')) return true
    const source = characters.slice(span.start, span.end).join('').toLowerCase().normalize('NFD')
    return source
      .replace(/[\p{Mn}\p{C}\ufffd]/gu, '')
      .replaceAll('\u03c2', '\u03c3')
      .includes(name.replaceAll('\u03c2', '\u03c3'))
  },
  // Every token is bytes of the text: as many as its name says.
  'byte-level-bpe': (characters, names) => {
    if (/<mask>|<s>|<\/s>|<unk>|<pad>/u.test(characters.join(''))) return UNTOLD
    return alongBytes(characters, (index) => [...(names[index] ?? '')].map(byteOf))
  },
  'bpe-byte-fallback': (characters, names) => {
    if (/<s>|<\/s>|<unk>|\u2581/u.test(characters.join(''))) return UNTOLD
    return alongBytes(characters, (index) => {
      const byte = /^<0x([0-9A-F]{2})>$/u.exec(names[index] ?? '')?.[1]
      if (byte !== undefined) return [Number.parseInt(byte, 16)]
      // The first one begins with the space that the normaliser put in front of the text.
      const name = (names[index] ?? '').slice(index === 1 ? 1 : 0)
      return [...encoder.encode(name.replaceAll('\u2581', ' '))]
    })
  },
  // Every token is a piece of what the normaliser makes of the characters as people see them (grapheme clusters): the
  // letters that it makes of one may be said to stand on its marks.
  unigram: (characters, names, ours) => {
    const clusterAt: { start: number; text: string }[] = []
    for (const { segment } of GRAPHEMES.segment(characters.join(''))) {
      const cluster = { start: clusterAt.length, text: segment }
      clusterAt.push(...Array<typeof cluster>([...segment].length).fill(cluster))
    }
    return (span, index) => {
      const name = (names[index] ?? '').replaceAll('\u2581', '').trim()
      const source = characters.slice(span.start, span.end).join('')
      if (ours.unknown.includes(index) || name === '' || source.trim() === '') return true
      const clusters = [...new Set(clusterAt.slice(span.start, span.end))].map(({ text }) => text).join('')
      return [source, clusters].some((text) => normalizedUnigram(text).includes(name))
    }
  },
}
const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' })
const UNIGRAM = NativeTokenizer.fromFile(join(FIXTURES, 'unigram/tokenizer.json'))
function normalizedUnigram(text: string): string {
  return UNIGRAM.getNormalizer()?.normalizeString(text) ?? ''
}

describe('where a token shows as its own what it is made of', () => {
  const load = (kind: Kind) => loadTokenizer(KINDS.find((one) => one.kind === kind)?.folder ?? '')
  const surfaces = async (kind: Kind, text: string) => {
    const { tokens, special } = await (await load(kind)).encode(text, whole(kind === 'wordpiece'))
    return tokens
      .filter((_, index) => special[index] === false)
      .map(({ text: surface, start, end }) => `${surface}@${start}:${end}`)
  }

  test('the bytes of one character share it', async () => {
    expect(await surfaces('byte-level-bpe', '\u4e2d')).toEqual(['\u4e2d@0:1', '\u4e2d@0:1'])
    expect(await surfaces('bpe-byte-fallback', 'a\u{1F600}')).toEqual([
      'a@0:1',
      ...Array<string>(4).fill('\u{1F600}@1:2'),
    ])
  })

  test('a space before a word is not the word; white space alone is a token of its own', async () => {
    expect(await surfaces('unigram', 'good  film')).toEqual(['good@0:4', 'film@6:10'])
    expect(await surfaces('byte-level-bpe', 'a  b')).toEqual(['a@0:1', ' @1:2', 'b@3:4'])
    expect(await surfaces('bpe-byte-fallback', 'a\n b')).toEqual(['a@0:1', '\n@1:2', 'b@3:4'])
  })

  test('a space that the tokenizer put in has no characters', async () => {
    expect(await surfaces('unigram', '\u{1F600}')).toEqual(['\u2581@0:0', '\u{1F600}@0:1'])
    expect((await surfaces('bpe-byte-fallback', '\u{1F600} a'))[0]).toBe('\u2581@0:0')
  })

  test('what a normaliser folds, drops or expands', async () => {
    expect(await surfaces('unigram', 'cafe\u0301 \u{FB01}lm')).toEqual([
      'ca@0:2',
      'f@2:3',
      'e\u0301@3:5',
      '\u{FB01}lm@6:9',
    ])
    expect(await surfaces('wordpiece', '\u0130stanbul')).toEqual(['\u0130stanbul@0:8'])
  })

  test('a byte-order mark, dropped, shifts nothing; nor does one behind a special token', async () => {
    expect(await surfaces('unigram', '\ufeffgood film')).toEqual(['good@1:5', 'film@6:10'])
    expect(await surfaces('unigram', '\ufeff\u00adgood <mask>\ufeff film')).toEqual([
      'good@2:6',
      '<mask>@7:13',
      'film@15:19',
    ])
  })

  test('a mask typed by hand takes no space with it', async () => {
    expect(await surfaces('byte-level-bpe', 'a <mask> b')).toEqual(['a@0:1', '<mask>@2:8', 'b@9:10'])
  })
})
