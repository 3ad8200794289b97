import { describe, expect, it } from 'vitest'
import { scoreReach, segment } from '../../../app/_run/segments.ts'

function span(start: number, end: number, score = 0.5, special = false) {
  return { text: '', start, end, score, special }
}

describe('segment', () => {
  const text = ' A 🎬👩‍👩‍👧 naïve\n\nfilm.'

  it('gives the text back to the last character, whatever the spans', () => {
    for (const spans of [[], [span(1, 2)], [span(1, 2), span(3, 4), span(10, 15)], [span(0, 40)]]) {
      expect(
        segment(text, spans)
          .map((piece) => piece.text)
          .join(''),
      ).toBe(text)
    }
  })

  it('counts code points, not UTF-16 units', () => {
    const pieces = segment('🎬 dull', [span(2, 6)])
    expect(pieces.map((piece) => [piece.text, piece.span !== null])).toEqual([
      ['🎬 ', false],
      ['dull', true],
    ])
  })

  it('leaves special and empty spans out, and shows characters that two tokens share once', () => {
    const pieces = segment('abcdef', [span(0, 0, 9, true), span(2, 5), span(0, 3), span(6, 6)])
    expect(pieces.map((piece) => piece.text)).toEqual(['abc', 'def'])
  })
})

describe('scoreReach', () => {
  it('is the largest absolute score of what has characters', () => {
    expect(scoreReach([span(0, 1, 0.2), span(1, 2, -0.7), span(0, 0, 5, true)])).toBe(0.7)
  })
  it('is 1 where every score is zero, so that nothing is divided by it', () => {
    expect(scoreReach([span(0, 1, 0)])).toBe(1)
  })
})
