import { describe, expect, it } from 'vitest'
import { RunEvents } from '../../../server/jobs/run-events.ts'

describe('a watch', () => {
  it('hears of a change that came before it asked, once', async () => {
    const events = new RunEvents()
    const watch = events.watch('a')
    events.emit('a')
    events.emit('a')
    expect(await watch.changed()).toBe(true)
    const next = watch.changed()
    events.emit('b')
    watch.close()
    expect(await next).toBe(false)
    expect(await watch.changed()).toBe(false)
  })

  it('is woken by a change while it waits, and does not disturb others of the same run', async () => {
    const events = new RunEvents()
    const one = events.watch('a')
    const two = events.watch('a')
    const waiting = [one.changed(), two.changed()]
    events.emit('a')
    expect(await Promise.all(waiting)).toEqual([true, true])
    one.close()
    const still = two.changed()
    events.emit('a')
    expect(await still).toBe(true)
  })
})
