import { describe, expect, test } from 'vitest'
import type { DecodedImage } from '../../../lib/image/decode.ts'
import { PictureCache } from '../../../server/jobs/picture-cache.ts'

/** A cache for `limit` bytes; a picture's name is its hash, its bytes, and what it decodes to. */
function watched(limit: number) {
  const decodings: string[] = []
  const missing = new Set<string>()
  const assets = {
    read: (id: string) => (missing.has(id) ? Promise.reject(new Error(`no ${id}`)) : Promise.resolve(Buffer.from(id))),
  }
  const cache = new PictureCache(assets, limit, (bytes) => {
    const name = Buffer.from(bytes).toString()
    decodings.push(name)
    return Promise.resolve({ sha256: name.replace('!', ''), rgb: new Uint8Array(10) } as DecodedImage)
  })
  return { cache, decodings, missing }
}

describe('the pictures a worker keeps', () => {
  test('are decoded once, however many ask and however often', async () => {
    const { cache, decodings } = watched(100)
    const [one, two] = await Promise.all([cache.decoded('a'), cache.decoded('a')])
    expect(await cache.decoded('a')).toBe(one)
    expect(two).toBe(one)
    expect(decodings).toEqual(['a'])
  })

  test('are the most recently used that fit', async () => {
    const { cache, decodings } = watched(25)
    for (const id of ['a', 'b', 'a', 'c', 'a', 'c', 'b']) await cache.decoded(id)
    expect(decodings).toEqual(['a', 'b', 'c', 'b'])
  })

  test('may be larger than what is kept', async () => {
    const { cache, decodings } = watched(5)
    for (const id of ['a', 'a']) expect((await cache.decoded(id)).sha256).toBe('a')
    expect(decodings).toEqual(['a', 'a'])
  })

  test('are tried again where they were missing', async () => {
    const { cache, missing } = watched(100)
    missing.add('a')
    await expect(cache.decoded('a')).rejects.toThrow('no a')
    missing.clear()
    expect((await cache.decoded('a')).sha256).toBe('a')
  })

  test('are what they are called', async () => {
    const { cache } = watched(100)
    await expect(cache.decoded('changed!')).rejects.toMatchObject({
      code: 'BAD_IMAGE',
      userMessage: expect.stringMatching(/picture changed! has been changed where it is kept/) as unknown,
    })
  })
})
