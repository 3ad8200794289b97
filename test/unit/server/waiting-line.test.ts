import { describe, expect, test } from 'vitest'
import { WaitingLine } from '../../../server/jobs/waiting-line.ts'

function lineOf(...ids: string[]): WaitingLine<number> {
  const line = new WaitingLine<number>()
  ids.forEach((id, index) => line.join(id, index))
  return line
}

/** Empties the line from its front. */
function drained(line: WaitingLine<number>): string[] {
  const ids: string[] = []
  for (let first = line.first(() => true); first !== null; first = line.first(() => true)) {
    ids.push(first.id)
    line.leave(first.id)
  }
  return ids
}

describe('a waiting line', () => {
  test('keeps the order of arrival while others leave from anywhere', () => {
    const line = lineOf('a', 'b', 'c', 'd', 'e')
    expect([line.leave('a'), line.leave('c'), line.leave('e'), line.leave('e')]).toEqual([true, true, true, false])
    line.join('f', 5)
    line.join('a', 6)
    expect(line.size).toBe(4)
    expect(drained(line)).toEqual(['b', 'd', 'f', 'a'])
    expect(line.first(() => true)).toBeNull()
    line.join('g', 7)
    expect(drained(line)).toEqual(['g'])
  })

  test('keeps the place of who joins again, with the new value', () => {
    for (const id of ['a', 'b', 'c']) {
      const line = lineOf('a', 'b', 'c')
      line.join(id, 9)
      expect(line.first((one) => one === id)).toMatchObject({ id, value: 9 })
      expect(drained(line)).toEqual(['a', 'b', 'c'])
    }
  })

  test('passes over those that will not do, and is empty when cleared', () => {
    const line = lineOf('a', 'b')
    expect(line.first((id) => id !== 'a')?.id).toBe('b')
    line.clear()
    expect([line.size, line.first(() => true)]).toEqual([0, null])
  })
})
