import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../../server/canonical.ts'
import { floatBytes, floatsOf } from '../../../server/storage/float-bytes.ts'

describe('canonicalJson', () => {
  it('sorts keys at every depth and leaves lists alone', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }, 3], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1},3]}')
    expect(canonicalJson({ a: { y: 1, x: 2 } })).toBe(canonicalJson({ a: { x: 2, y: 1 } }))
  })
})

describe('stored arrays', () => {
  it('are float32, little endian, and come back bit by bit', () => {
    const values = Float32Array.of(1, -0, 3.4e38, 1e-45, Math.PI)
    const bytes = floatBytes(values)
    expect([...bytes.subarray(0, 4)]).toEqual([0, 0, 128, 63])
    // As from a larger buffer, not aligned to four bytes.
    const shifted = new Uint8Array(bytes.length + 1)
    shifted.set(bytes, 1)
    expect(floatsOf(shifted.subarray(1))).toEqual(values)
  })
})
