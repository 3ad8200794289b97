import { describe, expect, it } from 'vitest'
import type { Tap } from '../../../lib/engine/model.ts'
import { chooseTaps, MOST_TAPS } from '../../../lib/statistics/choose-taps.ts'
import { layoutOf } from '../../../lib/statistics/layout.ts'

const tapOf = (shape: Tap['shape'], more: Partial<Tap> = {}): Tap => ({
  id: 'x',
  label: 'x',
  kind: 'other',
  operator: 'Any',
  shape,
  spatial: false,
  differentiable: true,
  ...more,
})

describe('the channels of a tap', () => {
  it.each([
    ['maps', 1, tapOf([null, 64, 7, 7], { spatial: true })],
    ['tokens', 2, tapOf([null, null, 384])],
    ['heads', 1, tapOf([null, 12, null, null], { looksAt: 'self' })],
    ['features', 1, tapOf([null, 1000])],
    ['features', 1, tapOf([null, 12, null, 32])],
    ['features', 1, tapOf([null, 64, 1, 1])],
    ['maps', 3, tapOf([null, 1, 1, 64])],
    ['whole', null, tapOf([null, 1, 1, null])],
    ['whole', null, tapOf([null, null])],
    ['whole', null, tapOf([3])],
    ['whole', null, tapOf([])],
  ] as const)('are %s along axis %s', (kind, axis, tap) => {
    expect(layoutOf(tap, [tap])).toEqual(axis === null ? { kind: 'whole', axis } : { kind, axis })
  })

  it('come last where the model has a map of the tensor', () => {
    const tap = tapOf([null, 7, 7, 64])
    const map = tapOf([null, 64, 7, 7], { id: 'x map', spatial: true, mapOf: 'x' })
    expect(layoutOf(tap, [tap, map])).toEqual({ kind: 'maps', axis: 3 })
    expect(layoutOf(map, [tap, map])).toEqual({ kind: 'maps', axis: 1 })
  })
})

describe('the taps of a question', () => {
  const layers = Array.from({ length: 100 }, (_, at) => tapOf([1, 2], { id: `relu${at}`, kind: 'activation' }))
  const taps = [tapOf([1, 2], { id: 'picture', kind: 'input' }), tapOf([2], { id: 'reshape' }), ...layers]

  it('are those named, in network order, each once', () => {
    expect(chooseTaps(taps, ['relu7', 'picture', 'relu7']).map(({ id }) => id)).toEqual(['picture', 'relu7'])
  })

  it('are layers at even distances where none is named, the first and the last among them', () => {
    const ids = chooseTaps(taps, null).map(({ id }) => id)
    expect(ids).toHaveLength(MOST_TAPS)
    expect(ids.at(0)).toBe('relu0')
    expect(ids.at(-1)).toBe('relu99')
    expect(chooseTaps(taps.slice(0, 10), null).map(({ id }) => id)).toEqual(layers.slice(0, 8).map(({ id }) => id))
    expect(chooseTaps(taps.slice(0, 2), null).map(({ id }) => id)).toEqual(['reshape'])
  })

  it('are refused where they are none, too many, or not there', () => {
    expect(() => chooseTaps(taps, [])).toThrow('Name 1 to 64 taps')
    expect(() => chooseTaps(taps, layers.map(({ id }) => id))).toThrow('not 100') // prettier-ignore
    expect(() => chooseTaps(taps, ['rleu7'])).toThrow('no layer "rleu7". Did you mean')
  })
})
