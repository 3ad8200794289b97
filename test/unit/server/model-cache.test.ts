import { describe, expect, test } from 'vitest'
import { ModelCache } from '../../../server/jobs/model-cache.ts'
import type { LoadedModel } from '../../../lib/models/load.ts'
import { idIn } from '../../../lib/models/model-ref.ts'

/** A cache of two, and what was loaded and disposed of, in order. */
function watched() {
  const happened: string[] = []
  const failing = new Set<string>()
  const cache = new ModelCache(2, (ref) => {
    const id = idIn(ref)
    happened.push(`load ${id}`)
    if (failing.has(id)) return Promise.reject(new Error(`no ${id}`))
    const dispose = () => {
      happened.push(`dispose ${id}`)
      return Promise.resolve()
    }
    return Promise.resolve({ model: { dispose } } as unknown as LoadedModel)
  })
  const entry = (id: string, sha256 = 'x') => `${id}@${sha256}`
  const touch = (id: string, sha256?: string) => cache.use(entry(id, sha256), (_, loadMs) => Promise.resolve(loadMs))
  return { cache, entry, touch, happened, failing }
}

describe('the models a worker keeps', () => {
  test('are the most recently used', async () => {
    const { touch, happened } = watched()
    for (const id of ['a', 'b', 'a', 'c']) await touch(id)
    expect(await touch('a')).toBe(0)
    expect(happened).toEqual(['load a', 'load b', 'load c', 'dispose b'])
  })

  test('are loaded once however many ask, and each version for itself', async () => {
    const { touch, happened } = watched()
    await Promise.all([touch('a'), touch('a'), touch('a', 'retrained')])
    expect(happened).toEqual(['load a', 'load a'])
  })

  test('are not disposed of while somebody works with them', async () => {
    const { cache, entry, touch, happened } = watched()
    let end = (): void => undefined
    const work = cache.use(entry('a'), () => new Promise<void>((resolve) => (end = resolve)))
    for (const id of ['b', 'c', 'd']) await touch(id)
    expect(happened.filter((line) => line.startsWith('dispose'))).toEqual(['dispose b', 'dispose c'])
    end()
    await work
    await touch('e')
    expect(happened).toContain('dispose a')
  })

  test('that could not be loaded are tried again', async () => {
    const { touch, happened, failing } = watched()
    failing.add('a')
    await expect(touch('a')).rejects.toThrow('no a')
    failing.clear()
    await touch('a')
    expect(happened).toEqual(['load a', 'load a'])
  })

  test('stay loaded when work with them fails', async () => {
    const { cache, entry, touch, happened } = watched()
    await expect(cache.use(entry('a'), () => Promise.reject(new Error('work')))).rejects.toThrow('work')
    await touch('a')
    expect(happened).toEqual(['load a'])
  })
})
