import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { COLOUR_MAPS, COLOUR_MAP_IDS, colourMapById, defaultColourMap } from '../../../lib/render/colour-maps.ts'

/** Rec. 709 luma of a colour of a table, near enough to lightness for an order. */
const luma = (table: Uint8Array, row: number): number =>
  0.2126 * (table[row * 3] ?? NaN) + 0.7152 * (table[row * 3 + 1] ?? NaN) + 0.0722 * (table[row * 3 + 2] ?? NaN)
const colour = (table: Uint8Array, row: number): number[] => [...table.subarray(row * 3, row * 3 + 3)]

describe.each(COLOUR_MAP_IDS)('%s', (id) => {
  const { table } = COLOUR_MAPS[id]

  it('has 256 colours and is found by its id', () => {
    expect(table).toHaveLength(256 * 3)
    expect(colourMapById(id)).toBe(COLOUR_MAPS[id])
  })

  it('has no jumps', () => {
    for (let at = 3; at < table.length; at++)
      expect(Math.abs((table[at] ?? NaN) - (table[at - 3] ?? NaN))).toBeLessThanOrEqual(12)
  })
})

/** Of the tables of matplotlib 3.11.2, rounded to eight bits: stored pictures are drawn anew with these very colours. */
const SHA256 = {
  viridis: '18545f7c72a02f02',
  inferno: 'e24e8bd38b972989',
  magma: 'f95197e8391d18e2',
  turbo: 'c4ae9ddb8a7f1356',
  'blue-red': '30ef5f031ef17584',
  'purple-orange': 'c5052e5b38b9487d',
}
it.each(COLOUR_MAP_IDS)('%s has the colours of matplotlib', (id) => {
  expect(createHash('sha256').update(COLOUR_MAPS[id].table).digest('hex').slice(0, 16)).toBe(SHA256[id])
})

const ofKind = (kind: 'sequential' | 'diverging') => COLOUR_MAP_IDS.filter((id) => COLOUR_MAPS[id].kind === kind)

it.each(ofKind('diverging'))('%s is palest in the middle', (id) => {
  const { table } = COLOUR_MAPS[id]
  const rows = Array.from({ length: 256 }, (_, row) => row)
  const lightest = rows.reduce((a, b) => (luma(table, b) > luma(table, a) ? b : a))
  expect(Math.abs(lightest - 127.5)).toBeLessThan(2)
  const middle = colour(table, 128)
  expect(Math.max(...middle) - Math.min(...middle)).toBeLessThan(8)
})

it.each(ofKind('sequential').filter((id) => id !== 'turbo'))('%s only gets lighter', (id) => {
  const { table } = COLOUR_MAPS[id]
  for (let row = 1; row < 256; row++) expect(luma(table, row)).toBeGreaterThan(luma(table, row - 1) - 1)
})

it('the ends are those of matplotlib', () => {
  expect([colour(COLOUR_MAPS.viridis.table, 0), colour(COLOUR_MAPS.viridis.table, 255)]).toEqual([
    [68, 1, 84],
    [253, 231, 37],
  ])
  expect([colour(COLOUR_MAPS['blue-red'].table, 0), colour(COLOUR_MAPS['blue-red'].table, 255)]).toEqual([
    [5, 48, 97],
    [103, 0, 31],
  ])
})

it('a signed map is shown with a diverging one when nobody chose', () => {
  expect(COLOUR_MAPS[defaultColourMap(false)].kind).toBe('diverging')
  expect(COLOUR_MAPS[defaultColourMap(true)].kind).toBe('sequential')
  expect([true, false].map(defaultColourMap)).toEqual([ofKind('sequential')[0], ofKind('diverging')[0]])
})

it.each(['jet', '', 'constructor', 'Viridis'])('an unknown colour map (%j) is refused, with those there are', (id) => {
  expect(() => colourMapById(id)).toThrow(
    expect.objectContaining({ code: 'BAD_PARAMETER', userMessage: expect.stringContaining('viridis, inferno') }),
  )
})
