import { expect, test } from 'vitest'
import { markedPixels, markedTokens } from '../../../lib/metrics/marks.ts'

const WHOLE = { x: 0, y: 0, width: 1, height: 1 }
const rows = (inside: Uint8Array, width: number): string[] =>
  Array.from({ length: inside.length / width }, (_, y) => inside.subarray(y * width, (y + 1) * width).join(''))

test('a box has the pixels whose middle lies in it', () => {
  const boxes = [{ x: 0.25, y: 0.5, width: 0.5, height: 0.3 }]
  expect(rows(markedPixels({ kind: 'boxes', boxes }, WHOLE, 4, 4).inside, 4)).toEqual(['0000', '0000', '0110', '0000'])
})

test('what the model was shown is a part of the picture', () => {
  // The right half, twice as wide as the box.
  const half = { x: 0.5, y: 0, width: 0.5, height: 1 }
  const boxes = [{ x: 0.5, y: 0, width: 0.25, height: 1 }]
  expect(rows(markedPixels({ kind: 'boxes', boxes }, half, 1, 4).inside, 4)).toEqual(['1100'])
  const left = [{ x: 0, y: 0, width: 0.4, height: 1 }]
  expect(() => markedPixels({ kind: 'boxes', boxes: left }, half, 1, 4)).toThrow(/cut off/)
})

test('a mask has a resolution of its own', () => {
  const mask = { kind: 'mask', height: 2, width: 2, inside: Uint8Array.from([0, 1, 2, 0]) } as const
  expect(rows(markedPixels(mask, WHOLE, 4, 4).inside, 4)).toEqual(['0011', '0011', '2200', '2200'])
})

test('a span has the tokens that share a character with it, special ones never', () => {
  const tokens = [
    { text: '[CLS]', start: 0, end: 0 },
    { text: 'won', start: 2, end: 5 },
    { text: '##der', start: 5, end: 8 },
    { text: 'film', start: 9, end: 13 },
    { text: '[SEP]', start: 13, end: 13 },
  ]
  const special = [true, false, false, false, true]
  const spans = [
    { start: 4, end: 8 },
    { start: 9, end: 10 },
    { start: 20, end: 22 },
  ]
  expect(markedTokens({ kind: 'spans', spans }, tokens, special)).toEqual({
    kind: 'tokens',
    inside: [false, true, true, true, false],
    spans: [[1, 2], [3]],
  })
  expect(() => markedTokens({ kind: 'spans', spans: spans.slice(2) }, tokens, special)).toThrow(/no token/)
  expect(() => markedTokens({ kind: 'boxes', boxes: [WHOLE] }, tokens, special)).toThrow(/spans of the text/)
  expect(() => markedPixels({ kind: 'spans', spans }, WHOLE, 2, 2)).toThrow(/box or a mask/)
})
