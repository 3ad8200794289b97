import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { encodingDiagnoses } from '../../../lib/text/diagnoses.ts'
import { loadTokenizer, type Tokenizer } from '../../../lib/text/tokenizer.ts'
import { groupWords } from '../../../lib/text/words.ts'

const card = { kind: 'text', maxTokens: 512, truncation: 'head-tail', headFraction: 0.6, lowercase: true } as const
let tokenizer: Tokenizer
beforeAll(async () => {
  tokenizer = await loadTokenizer(join(import.meta.dirname, '../../../models/reviews-minilm'))
})

/** Scores 1, 2, 4, ...: every set of tokens has its own sum. */
async function scored(text: string, maxTokens = 512) {
  const { tokens, special } = await tokenizer.encode(text, { ...card, maxTokens })
  return tokens.map((token, index) => ({ ...token, score: 2 ** index, special: special[index] ?? false }))
}
const words = async (text: string) => groupWords(text, await scored(text), 'sum').filter((word) => !word.special)

describe('the word policy', () => {
  test.each([
    ["Don't miss it.", ["Don't", 'miss', 'it', '.']],
    ['don\u2019t', ['don\u2019t']],
    ['a well-made film', ['a', 'well-made', 'film']],
    ['mother-in-law rock\u2019n\u2019roll', ['mother-in-law', 'rock\u2019n\u2019roll']],
    ['well--made - not', ['well', '--', 'made', '-', 'not']],
    ["'tis the dogs' dinner", ["'", 'tis', 'the', 'dogs', "'", 'dinner']],
    ['Wow!!! Really?! ...', ['Wow', '!!!', 'Really', '?', '!', '...']],
    ['8.5/10 for 1,000 of $9.', ['8.5', '/', '10', 'for', '1,000', 'of', '$', '9', '.']],
    ['bad.The end', ['bad', '.', 'The', 'end']],
    ['good good good', ['good', 'good', 'good']],
    ['snake_case __init__', ['snake_case', '__', 'init', '__']],
    ['one<br /><br />two<BR>x', ['one', '<br />', '<br />', 'two', '<BR>', 'x']],
    ['a < b <<br>', ['a', '<', 'b', '<', '<br>']],
    ['antidisestablishmentarianism', ['antidisestablishmentarianism']],
    ['Caf\u00e9 cafe\u0301s!\u0301x', ['Caf\u00e9', 'cafe\u0301s', '!\u0301', 'x']],
    ['so\u00adft zero\u200bwidth', ['so\u00adft', 'zero\u200bwidth']],
    ['\u{1F468}\u200d\u{1F469} \u2764\ufe0f ok', ['\u{1F468}\u200d\u{1F469}', '\u2764\ufe0f', 'ok']],
    ['\u20ac5 \u201cquoted\u201d', ['\u20ac', '5', '\u201c', 'quoted', '\u201d']],
    ['\u0430\u0445, \u0444\u0438\u043b\u044c\u043c', ['\u0430\u0445', ',', '\u0444\u0438\u043b\u044c\u043c']],
    ['\uc601\ud654 \uc88b\uc544\uc694', ['\uc601\ud654', '\uc88b\uc544\uc694']],
    ['\u7535\u5f71\u3002\u7535\u5f71', ['\u7535\u5f71', '\u3002', '\u7535\u5f71']],
    ["a\u{1F600}'s", ['a\u{1F600}', "'", 's']],
    ['good\u7535\u5f71 3D', ['good', '\u7535\u5f71', '3D']],
  ])('%j', async (text, expected) => {
    expect((await words(text)).map((word) => word.text)).toEqual(expected)
  })
})

describe('the same words whatever the tokenizer', () => {
  const FIXTURES = join(import.meta.dirname, '../../fixtures/text/tokenizers')
  const cased = { ...card, lowercase: false }
  const CASES: readonly (readonly [text: string, words: readonly string[]])[] = [
    ["Don't miss it.", ["Don't", 'miss', 'it', '.']],
    ['a well-made film: 8.5 of 1,000', ['a', 'well-made', 'film', ':', '8.5', 'of', '1,000']],
    ['caf\u00e9 cafe\u0301s na\u00efve', ['caf\u00e9', 'cafe\u0301s', 'na\u00efve']],
    ['good \u{1F468}\u200d\u{1F469}\u200d\u{1F467} ok', ['good', '\u{1F468}\u200d\u{1F469}\u200d\u{1F467}', 'ok']],
    [
      '\u{1F44D}\u{1F3FD} \u2764\ufe0f \u{1F1E9}\u{1F1EA}',
      ['\u{1F44D}\u{1F3FD}', '\u2764\ufe0f', '\u{1F1E9}\u{1F1EA}'],
    ],
    ['so\u00adft zero\u200bwidth', ['so\u00adft', 'zero\u200bwidth']],
    [
      '\u05e1\u05e8\u05d8 \u05de\u05b0\u05e2\u05d5\u05bc, good',
      ['\u05e1\u05e8\u05d8', '\u05de\u05b0\u05e2\u05d5\u05bc', ',', 'good'],
    ],
    [
      '\u0641\u064a\u0644\u0645 \u0631\u0627\u0626\u0639\u064c (film)',
      ['\u0641\u064a\u0644\u0645', '\u0631\u0627\u0626\u0639\u064c', '(', 'film', ')'],
    ],
    [
      '\u0939\u093f\u0928\u094d\u0926\u0940 \u092b\u093f\u0932\u094d\u092e',
      ['\u0939\u093f\u0928\u094d\u0926\u0940', '\u092b\u093f\u0932\u094d\u092e'],
    ],
    ['\uc601\ud654 \uc88b\uc544\uc694', ['\uc601\ud654', '\uc88b\uc544\uc694']],
    ['one <br /> two', ['one', '<br />', 'two']],
  ]
  const folders = ['bpe-byte-fallback', 'byte-level-bpe', 'unigram'] as const
  describe.each(folders)('%s', (folder) => {
    let other: Tokenizer
    beforeAll(async () => {
      other = await loadTokenizer(join(FIXTURES, folder))
    })
    const grouped = async (text: string) => {
      const { tokens, special } = await other.encode(text, cased)
      const all = tokens.map((token, index) => ({ ...token, score: 1, special: special[index] ?? false }))
      return groupWords(text, all, 'sum').filter((word) => !word.special)
    }

    test.each(CASES)('%j', async (text, expected) => {
      // White space that is a token of its own is a word of its own.
      expect((await grouped(text)).map((word) => word.text).filter((word) => word.trim() !== '')).toEqual(expected)
    })

    test('a space that the tokenizer put in belongs to the first word', async () => {
      const [first] = await grouped('\u{1F600} ok')
      expect(first).toMatchObject({ text: '\u{1F600}', start: 0, end: 1 })
    })
  })

  test('line breaks in the text are words, each run of them one', async () => {
    const other = await loadTokenizer(join(FIXTURES, 'byte-level-bpe'))
    const { tokens, special } = await other.encode('one\n\n\ntwo', cased)
    const all = tokens.map((token, index) => ({ ...token, score: 1, special: special[index] ?? false }))
    expect(groupWords('one\n\n\ntwo', all, 'sum').map((word) => word.text)).toEqual([
      '<s>',
      'one',
      '\n\n\n',
      'two',
      '</s>',
    ])
  })
})

test('the longest texts are grouped in time that grows with their length', async () => {
  // As much again takes as much again; with the square it would take four times as long, for minutes.
  for (const unit of ['\u6211\u559c\u6b22\u7535\u5f71', '\u{1F468}\u200d\u{1F469}']) {
    const text = unit.repeat(40_000)
    const tokens = [{ text: unit, start: 0, end: 2, score: 1, special: false }]
    expect(groupWords(text, tokens, 'sum')).toHaveLength(1)
  }
})

test('a window never parts what a segmenter keeps together', () => {
  const text = '\u{1F468}\u200d\u{1F469}\u200d\u{1F467} '.repeat(600)
  const characters = [...text]
  const tokens = characters.flatMap((character, start) =>
    character === ' ' ? [] : [{ text: character, start, end: start + 1, score: 1, special: false }],
  )
  const found = groupWords(text, tokens, 'sum')
  expect(found).toHaveLength(600)
  expect(new Set(found.map((word) => word.text))).toEqual(new Set(['\u{1F468}\u200d\u{1F469}\u200d\u{1F467}']))
})

test('Intl.Segmenter parts unspaced scripts, within what the tokens allow', async () => {
  const parts = (await words('\u6211\u559c\u6b22\u770b\u7535\u5f71')).map((word) => word.text)
  expect(parts.at(-1)).toBe('\u7535\u5f71')
  expect(parts.length).toBeGreaterThan(1)
  expect(parts.length).toBeLessThan(6)
})

describe('what holds for every text', () => {
  const texts = [
    "I don't know -- it's a state-of-the-art, 8.5/10 tear-jerker!!! <br /><br />Caf\u00e9s, \u{1F600}\u{1F600} & cafe\u0301.",
    '\uc601\ud654 \u5f88\u597d\u7684\u7535\u5f71\u3002 \u0e2b\u0e19\u0e31\u0e07\u0e14\u0e35\u0e21\u0e32\u0e01 [MASK] \u200b.',
  ]
  test.each(texts)('%s', async (text) => {
    const tokens = await scored(text)
    const all = groupWords(text, tokens, 'sum')
    const characters = [...text]
    let position = 0
    for (const word of all.filter(({ special }) => !special)) {
      expect(word.start).toBeGreaterThanOrEqual(position)
      expect(word.text).toBe(characters.slice(word.start, word.end).join(''))
      position = word.end
    }
    expect(all.reduce((sum, word) => sum + word.score, 0)).toBe(2 ** tokens.length - 1)
    expect(all.filter(({ special }) => special).map((word) => word.text)).toEqual(['[CLS]', '[SEP]'])
  })
})

test('reductions: the sum, or the largest with its sign', async () => {
  const text = 'un-well ok'
  const scores = [0, 1, -3, 2, 5, 0]
  const tokens = (await scored(text)).map((token, index) => ({ ...token, score: scores[index] ?? 0 }))
  const reduce = (reduction: 'sum' | 'absolute-max') => groupWords(text, tokens, reduction).map((word) => word.score)
  expect(reduce('sum')).toEqual([0, 0, 5, 0])
  expect(reduce('absolute-max')).toEqual([0, -3, 5, 0])
})

test('a cut never joins the words on its two sides', async () => {
  const text = 'a-b-c-d-e-f-g-h-i-j'
  const tokens = await scored(text, 8)
  const parts = groupWords(text, tokens, 'sum').filter((word) => !word.special)
  expect(parts.map((word) => word.text)).toEqual(['a-b-', '-j'])
})

describe('diagnoses of the encoding', () => {
  test('nothing to say', async () => {
    expect(encodingDiagnoses(await tokenizer.encode('A fine film.', card))).toEqual([])
  })

  test('what was cut, to the character', async () => {
    const text = 'one two three four five six seven eight nine ten'
    const [diagnosis] = encodingDiagnoses(await tokenizer.encode(text, { ...card, maxTokens: 7 }))
    expect(diagnosis).toMatchObject({ code: 'INPUT_TRUNCATED', severity: 'warning' })
    const [from = 0, to = 0] =
      /Characters (\d+) to (\d+)/u
        .exec(diagnosis?.message ?? '')
        ?.slice(1)
        .map(Number) ?? []
    expect(text.slice(from, to)).toBe('four five six seven eight')
    expect(diagnosis?.message).toContain('(5 tokens)')
  })

  test('what is not known, each once', async () => {
    const [diagnosis] = encodingDiagnoses(await tokenizer.encode('\u{1F600} fun \u{1F600} \u{1F44D}\u{1F3FD}', card))
    expect(diagnosis?.code).toBe('UNKNOWN_TOKENS')
    expect(diagnosis?.message).toContain('know \u201c\u{1F600}\u201d, \u201c\u{1F44D}\u{1F3FD}\u201d. ')
  })
})
