import { describe, expect, it } from 'vitest'
import { randomStream } from '../../../lib/methods/shared/random.ts'
import type { ChannelLayout } from '../../../lib/statistics/layout.ts'
import { TapAccumulator, type TapStatistics } from '../../../lib/statistics/tap-statistics.ts'
import { float32, type FloatTensor } from '../../../lib/tensor/tensor.ts'

const MAPS: ChannelLayout = { kind: 'maps', axis: 1 }
const TOKENS: ChannelLayout = { kind: 'tokens', axis: 2 }

function statistics(
  layout: ChannelLayout,
  inputs: readonly (readonly [FloatTensor, FloatTensor | null])[],
  nearZero = 0.001,
): TapStatistics {
  const tap = new TapAccumulator('conv', layout, { nearZero, bins: 8 })
  for (const [values, gradient] of inputs) tap.add(values, gradient)
  return tap.result()
}

describe('statistics of a tap', () => {
  it('of maps are those of NumPy, channel by channel', () => {
    const values = float32([-1, 0, 0.5, 2, 3, 3, 3, 3], [1, 2, 2, 2])
    const gradient = float32([1, 1, 2, -1, 0.5, 0, 0, -1], [1, 2, 2, 2])
    const found = statistics(MAPS, [[values, gradient]])
    expect(found).toEqual({
      layout: 'maps',
      values: 8,
      mean: 1.6875,
      standardDeviation: expect.closeTo(1.5194057226429023, 12),
      least: -1,
      largest: 3,
      nearZero: 1 / 8,
      negative: 1 / 8,
      deadChannels: 0,
      channels: {
        mean: [0.375, 3],
        standardDeviation: [expect.closeTo(1.0825317547305484, 12), 0],
        least: [-1, 3],
        largest: [2, 3],
        nearZero: [0.25, 0],
        negative: [0.25, 0],
        dead: [false, false],
        // -1 + 0 + 1 - 2, and 1.5 + 0 + 0 - 3
        contribution: [-2, -1.5],
      },
      histogram: { edges: [-1, 0, 1, 2, 3, 4], counts: [1, 2, 0, 1, 4] },
      byInput: Uint32Array.of(1, 2, 0, 1, 4),
    })
  })

  it('of tokens have a channel for each feature, over texts of any length', () => {
    const one = float32([1, -2, 0, 4, -2, 0.25], [1, 2, 3])
    const other = float32([-1, -2, 0], [1, 1, 3])
    const { channels, deadChannels, values } = statistics(TOKENS, [
      [one, float32([1, 1, 1, 1, 1, 1], [1, 2, 3])],
      [other, float32([3, 0, 1], [1, 1, 3])],
    ])
    expect(values).toBe(9)
    expect(channels?.mean).toEqual([4 / 3, -2, expect.closeTo(0.25 / 3, 15)])
    expect(channels?.negative).toEqual([1 / 3, 1, 0])
    // Means over the two texts: (5 - 3) / 2, (-4 + 0) / 2, (0.25 + 0) / 2.
    expect(channels?.contribution).toEqual([1, -2, 0.125])
    expect(deadChannels).toBe(0)
  })

  it('call a channel dead where nothing of it reaches the bound, for any input, and not where it is constant', () => {
    const silent = float32([0, -0.05, 5, 5, 0, 0], [1, 3, 2])
    const loud = float32([0.09, 0, 5, 5, 0, 0.1], [1, 3, 2])
    const layout: ChannelLayout = { kind: 'heads', axis: 1 }
    expect(statistics(layout, [[silent, null]], 0.1).channels?.dead).toEqual([true, false, true])
    const both = statistics(layout, [[silent, null], [loud, null]], 0.1) // prettier-ignore
    expect(both.channels?.dead).toEqual([true, false, false])
    expect(both.deadChannels).toBe(1)
    expect(both.channels?.standardDeviation[1]).toBe(0)
    expect(both.channels?.nearZero).toEqual([1, 0, 0.75])
    expect(both.channels?.contribution).toBeNull()
  })

  it('of inputs one by one are those of all at once', () => {
    const { normal } = randomStream(3, 'activations')
    const each = Array.from({ length: 12 }, (_, at) =>
      float32(
        Float32Array.from({ length: 5 * 6 }, () => 1000 + at + normal() * 10 ** ((at % 3) - 1)),
        [1, 5, 2, 3],
      ),
    )
    const batch = float32(
      each.flatMap(({ data }) => [...data]),
      [12, 5, 2, 3],
    )
    const apart = statistics(MAPS, each.map((values) => [values, values])) // prettier-ignore
    const atOnce = statistics(MAPS, [[batch, batch]])
    expect(apart.histogram).toEqual(atOnce.histogram)
    for (const name of ['values', 'least', 'largest', 'nearZero', 'negative'] as const)
      expect(apart[name]).toBe(atOnce[name])
    expect(apart.mean).toBeCloseTo(atOnce.mean, 9)
    expect(apart.standardDeviation).toBeCloseTo(atOnce.standardDeviation, 9)
    for (const [at, deviation] of (apart.channels?.standardDeviation ?? []).entries())
      expect(deviation).toBeCloseTo(atOnce.channels?.standardDeviation[at] ?? NaN, 9)
    // A sum over the whole batch is twelve times the mean over its inputs.
    for (const [at, one] of (apart.channels?.contribution ?? []).entries())
      expect((one * 12) / (atOnce.channels?.contribution?.[at] ?? NaN)).toBeCloseTo(1, 12)
    // Each input's own counts add up to those of all.
    const bins = apart.histogram.counts.length
    const sums = apart.histogram.counts.map((_, bin) => each.reduce((sum, _one, at) => sum + (apart.byInput[at * bins + bin] ?? NaN), 0)) // prettier-ignore
    expect(sums).toEqual(apart.histogram.counts)
  })

  it('without an axis of channels are of all values', () => {
    const found = statistics({ kind: 'whole', axis: null }, [[float32([1, 2, 3], [3]), null]])
    expect(found).toMatchObject({ values: 3, mean: 2, channels: null })
  })

  it('are refused of numbers that are not finite, and of no input', () => {
    const fine = float32([1, 2], [1, 2])
    for (const bad of [NaN, Infinity, -Infinity]) {
      const broken = float32([1, bad], [1, 2])
      expect(() => statistics({ kind: 'features', axis: 1 }, [[broken, null]])).toThrow(
        expect.objectContaining({ code: 'BAD_RESULT', details: { layer: 'conv' } }),
      )
      expect(() => statistics({ kind: 'features', axis: 1 }, [[fine, broken]])).toThrow('the gradient of conv')
    }
    expect(() => statistics(MAPS, [])).toThrow('one at least')
  })

  it('are refused where inputs have channels of their own', () => {
    const [two, three] = [float32([1, 2], [1, 2]), float32([1, 2, 3], [1, 3])]
    expect(() => statistics({ kind: 'features', axis: 1 }, [[two, null], [three, null]])).toThrow('3 channels') // prettier-ignore
  })
})
