/** The bench's clockwork: whose turn it is, what is counted, and what a bar means. */
import { describe, expect, it } from 'vitest'
import { atLeast, atMost, clears } from '../../../bench/figure.ts'
import { inTurn, median } from '../../../bench/measure.ts'
import { peakInStatus } from '../../../bench/memory/peak.ts'

describe('inTurn', () => {
  it('lets contestants take turns, and counts no warm-up', async () => {
    const log: string[] = []
    const contestant = (name: string, time: number) => (calls: number) => {
      log.push(`${name}${calls}`)
      // The only call of a block of one is the warm-up.
      return Promise.resolve(Array.from({ length: calls }, () => (calls === 1 ? 1000 : time)))
    }
    const pace = { rounds: 2, calls: 3, warmUps: 1 }
    const medians = await inTurn({ a: contestant('a', 4), b: contestant('b', 2) }, pace)
    expect(medians).toEqual({ a: 4, b: 2 })
    expect(log).toEqual(['a1', 'a3', 'b1', 'b3', 'a1', 'a3', 'b1', 'b3'])
  })

  it('takes the median over all blocks', async () => {
    const times = [1, 9, 2]
    const a = () => Promise.resolve([times.shift() ?? NaN])
    expect(await inTurn({ a }, { rounds: 3, calls: 1, warmUps: 0 })).toEqual({ a: 2 })
  })
})

describe('median', () => {
  it('is the middle value, or the mean of the two middle ones', () => {
    expect(median([3, 1, 10])).toBe(3)
    expect(median([10, 1, 3, 2])).toBe(2.5)
    expect(() => median([])).toThrow('median of nothing')
  })
})

describe('clears', () => {
  it('is at or below a cost, at or above a lead', () => {
    expect([1, 2, 3].map((value) => clears(value, atMost(2)))).toEqual([true, true, false])
    expect([1, 2, 3].map((value) => clears(value, atLeast(2)))).toEqual([false, true, true])
  })
})

describe('peakInStatus', () => {
  it('reads the high-water mark of resident memory in bytes', () => {
    expect(peakInStatus('VmPeak:\t  900 kB\nVmHWM:\t   40484 kB\nVmRSS:\t 3 kB\n')).toBe(40484 * 1024)
    expect(() => peakInStatus('VmRSS:\t 3 kB\n')).toThrow('VmHWM')
  })
})
