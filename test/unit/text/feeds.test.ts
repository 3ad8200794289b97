import { describe, expect, test } from 'vitest'
import { feedsOf, inputRoles, type TextInput } from '../../../lib/text/feeds.ts'

const any = [null, null]
const ROWS = [
  [101, 7, 8, 102],
  [101, 9, 102],
]
const numbers = (tensor: { readonly data: ArrayLike<number | bigint> } | undefined) =>
  Array.from(tensor?.data ?? [], Number)

describe('what an input holds', () => {
  test.each<[string, readonly (string | TextInput)[], object]>([
    [
      'Hugging Face',
      ['input_ids', 'attention_mask', 'token_type_ids'],
      { ids: 'input_ids', mask: 'attention_mask', segments: 'token_type_ids', positions: null },
    ],
    ['DistilBERT', ['input_ids', 'attention_mask'], { ids: 'input_ids', mask: 'attention_mask', segments: null }],
    [
      'GPT-2, in another order',
      ['position_ids', 'attention_mask', 'input_ids'],
      { ids: 'input_ids', positions: 'position_ids' },
    ],
    ["Google's BERT", ['input_ids', 'input_mask', 'segment_ids'], { mask: 'input_mask', segments: 'segment_ids' }],
    [
      'TensorFlow Hub',
      ['input_word_ids', 'input_mask', 'input_type_ids'],
      { ids: 'input_word_ids', segments: 'input_type_ids' },
    ],
    ['Keras', ['padding_mask', 'segment_ids', 'token_ids'], { ids: 'token_ids', mask: 'padding_mask' }],
    ['ids alone', ['x'], { ids: 'x', mask: null, segments: null, positions: null }],
    [
      'no names, a mask of another type',
      [
        { name: 'a', type: 'float32', dims: any },
        { name: 'b', type: 'int32', dims: any },
      ],
      { ids: 'b', mask: 'a' },
    ],
    [
      'a fixed length and batch',
      [
        { name: 'input_ids', dims: [1, 64] },
        { name: 'attention_mask', dims: [1, 64] },
      ],
      { length: 64, rows: 1 },
    ],
    [
      'a fixed length in one of them',
      [
        { name: 'input_ids', dims: any },
        { name: 'attention_mask', dims: [null, 32] },
      ],
      { length: 32, rows: null },
    ],
  ])('%s', (_, inputs, expected) => {
    expect(inputRoles(inputs)).toMatchObject(expected)
  })

  test.each<[string, readonly (string | TextInput)[], string]>([
    ['two that could be ids', ['input_1', 'input_2'], 'which of "input_1" and "input_2"'],
    [
      'a decoder beside the encoder',
      ['input_ids', 'attention_mask', 'decoder_input_ids'],
      'which of "input_ids" and "decoder_input_ids"',
    ],
    ['only a mask', ['attention_mask'], 'none is left'],
    [
      'a cache',
      ['input_ids', { name: 'past.0.key', type: 'float32', dims: [null, 4, null, 8] }],
      '"past.0.key" has 4 axes',
    ],
    ['embeddings', [{ name: 'inputs_embeds', type: 'float32', dims: [null, null, 8] }], '"inputs_embeds" has 3 axes'],
    [
      'numbers beside a mask',
      ['ids', 'mask', { name: 'age', type: 'float32', dims: any }],
      '"age" takes float32, and is no mask',
    ],
    [
      'different lengths',
      [
        { name: 'ids', dims: [1, 64] },
        { name: 'mask', dims: [1, 32] },
      ],
      'different extents (64, 32)',
    ],
  ])('refused: %s', (_, inputs, found) => {
    expect(() => inputRoles(inputs)).toThrow(
      expect.objectContaining({ code: 'BAD_MODEL', message: expect.stringContaining(found) as string }) as Error,
    )
  })
})

describe('what a tokenizer tells beside', () => {
  const BART = { firstPosition: 0, decoderStart: 2 }
  const DECODED = ['input_ids', 'attention_mask', 'decoder_input_ids', 'decoder_attention_mask']

  test('a decoder is fed the text one place later', () => {
    const { feeds } = feedsOf(ROWS, inputRoles(DECODED, BART), 1)
    expect(Object.keys(feeds)).toEqual(DECODED)
    expect(numbers(feeds['decoder_input_ids'])).toEqual([2, 101, 7, 8, 2, 101, 9, 102])
    expect(numbers(feeds['decoder_attention_mask'])).toEqual([1, 1, 1, 1, 1, 1, 1, 0])
  })

  test('a cache of the decoder is refused', () => {
    const inputs = [...DECODED, 'past_decoder_key']
    expect(() => inputRoles(inputs, BART)).toThrow(/only ids and a mask are made/)
  })

  test("RoBERTa's positions begin behind the padding's id, and padding has that id", () => {
    const roles = inputRoles(['input_ids', 'position_ids'], { firstPosition: 2, decoderStart: null })
    expect(numbers(feedsOf(ROWS, roles, 1).feeds['position_ids'])).toEqual([2, 3, 4, 5, 2, 3, 4, 1])
  })
})

describe('feeds', () => {
  test('only what the model has, padded behind', () => {
    const { feeds, lengths } = feedsOf(ROWS, inputRoles(['input_ids', 'attention_mask']), 5)
    expect(Object.keys(feeds)).toEqual(['input_ids', 'attention_mask'])
    expect(feeds['input_ids']).toMatchObject({ type: 'int64', dims: [2, 4] })
    expect(numbers(feeds['input_ids'])).toEqual([101, 7, 8, 102, 101, 9, 102, 5])
    expect(numbers(feeds['attention_mask'])).toEqual([1, 1, 1, 1, 1, 1, 1, 0])
    expect(lengths).toEqual([4, 3])
  })

  test('to the length that the model fixes, in the types that it takes, with positions made', () => {
    const roles = inputRoles([
      { name: 'ids', type: 'int32', dims: [1, 6] },
      { name: 'mask', type: 'bool', dims: [1, 6] },
      { name: 'segment', type: 'int32', dims: [1, 6] },
      { name: 'positions', type: 'int64', dims: [1, 6] },
    ])
    const { feeds, lengths } = feedsOf(ROWS.slice(0, 1), roles, null)
    expect(feeds['ids']).toEqual({ type: 'int32', dims: [1, 6], data: Int32Array.of(101, 7, 8, 102, 0, 0) })
    expect(feeds['mask']).toEqual({ type: 'bool', dims: [1, 6], data: Uint8Array.of(1, 1, 1, 1, 0, 0) })
    expect(numbers(feeds['segment'])).toEqual([0, 0, 0, 0, 0, 0])
    expect(numbers(feeds['positions'])).toEqual([0, 1, 2, 3, 4, 5])
    expect(lengths).toEqual([4])
  })

  test('more than the model fixes is refused, never cut in silence', () => {
    const roles = inputRoles([{ name: 'ids', dims: [1, 3] }])
    expect(() => feedsOf([[1, 2, 3, 4]], roles, 0)).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }) as Error)
    expect(() => feedsOf([[1], [2]], roles, 0)).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }) as Error)
  })
})
