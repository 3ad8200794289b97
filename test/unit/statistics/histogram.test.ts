import { describe, expect, it } from 'vitest'
import { countsLike, edgesOf, histogramOf, together } from '../../../lib/statistics/histogram.ts'
import { randomStream } from '../../../lib/methods/shared/random.ts'

const of = (values: readonly number[], most: number) => histogramOf(Float32Array.from(values), most)

/** As NumPy's, by its definition, but for the last edge, which is beyond all values here. */
function counted(values: Iterable<number>, edges: readonly number[]): number[] {
  const all = [...values]
  return edges.slice(1).map((high, at) => all.filter((value) => value >= (edges[at] ?? NaN) && value < high).length)
}

describe('a histogram', () => {
  it('has the negative apart, edges at multiples of a power of two, and as few bins as asked', () => {
    const found = of([-1, 0, 0.5, 2, 3, 3, 3, 3], 8)
    expect(edgesOf(found)).toEqual([-1, 0, 1, 2, 3, 4])
    expect(Array.from(found.counts)).toEqual([1, 2, 0, 1, 4])
    // One bin more, and half the width has room.
    expect(edgesOf(of([-1, 0, 0.5, 2, 3], 9))).toEqual([-1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5])
    expect(Array.from(of([-1e-6, 1], 2).counts)).toEqual([1, 1])
  })

  it('holds a value on an edge in the bin above it, and the largest of all', () => {
    const found = of([0, 1, 2, 4], 5)
    expect(edgesOf(found)).toEqual([0, 1, 2, 3, 4, 5])
    expect(Array.from(found.counts)).toEqual([1, 1, 1, 0, 1])
  })

  it('of one value is one bin around it; of zeros alone the one from 0 to 1', () => {
    const constant = of([3, 3, 3], 16)
    const [low = NaN, high = NaN] = edgesOf(constant)
    expect(Array.from(constant.counts)).toEqual([3])
    expect(low).toBe(3)
    expect(high).toBeGreaterThan(3)
    expect(edgesOf(of([0, -0, 0], 16))).toEqual([0, 1])
    const silent = of([0, -0, 0], 16)
    expect(Array.from(silent.counts)).toEqual([3])
    // Beside other values they are wherever zero is, in bins of a thousandth too.
    const both = together([silent, of([0.01, -0.01], 16)], 16)
    expect(both).toEqual(of([0, 0, 0, 0.01, -0.01], 16))
  })

  it('of parts is that of the whole, to the value, whatever the order and the cuts', () => {
    const { normal } = randomStream(7, 'histogram')
    const values = Float32Array.from({ length: 4000 }, (_, at) => normal() * 10 ** ((at % 5) - 3) - (at % 2))
    const whole = histogramOf(values, 32)
    const cuts = [0, 3, 4, 1000, 1777, 4000]
    const parts = cuts.slice(1).map((end, at) => histogramOf(values.slice(cuts[at], end), 32))
    expect(together(parts, 32)).toEqual(whole)
    expect(together([...parts, of([0], 32)].reverse(), 32).counts.reduce((sum, one) => sum + one, 0)).toBe(4001)
    const nested = together([together(parts.slice(0, 2), 32), together(parts.slice(2), 32)], 32)
    expect(nested).toEqual(whole)
    expect(Array.from(whole.counts)).toEqual(counted(values, edgesOf(whole)))
    expect(whole.counts.length).toBeLessThanOrEqual(32)
    expect(whole.counts.length).toBeGreaterThan(15)
  })

  it('of a part can be counted in the bins of the whole', () => {
    const [small, large] = [of([0.01, 0.02, -0.5], 8), of([-8, 100], 8)]
    const whole = together([small, large], 8)
    expect(edgesOf(whole)).toEqual([-16, 0, 16, 32, 48, 64, 80, 96, 112])
    expect(Array.from(countsLike(small, whole))).toEqual([1, 2, 0, 0, 0, 0, 0, 0])
    expect(Array.from(countsLike(large, whole))).toEqual([1, 0, 0, 0, 0, 0, 0, 1])
  })

  it('needs two bins', () => {
    expect(() => of([1], 1)).toThrow('2 bins or more, not 1')
  })
})
