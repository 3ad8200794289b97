import { describe, expect, it } from 'vitest'
import { normaliseForDisplay } from '../../../lib/render/normalise.ts'
import { float32 } from '../../../lib/tensor/tensor.ts'

const shown = (values: number[], rectify: boolean): number[] => [
  ...normaliseForDisplay(float32(values, [1, values.length]), { rectify }).data,
]

describe('normaliseForDisplay', () => {
  it('rectified: ReLU, then divided by the largest', () => {
    expect(shown([-8, 0, 1, 4], true)).toEqual([0, 0, 0.25, 1])
  })

  it('signed: one scale on both sides of zero', () => {
    expect(shown([-8, 0, 1, 4], false)).toEqual([-1, 0, 0.125, 0.5])
    expect(shown([-2, 4], false)).toEqual([-0.5, 1])
  })

  it.each([
    { values: [0, 0], rectify: true, expected: [0, 0] },
    { values: [0, 0], rectify: false, expected: [0, 0] },
    { values: [-1, -2], rectify: true, expected: [0, 0] },
    { values: [-1, -2], rectify: false, expected: [-0.5, -1] },
    { values: [3, 3], rectify: true, expected: [1, 1] },
    { values: [3, 3], rectify: false, expected: [1, 1] },
    { values: [-3, -3], rectify: false, expected: [-1, -1] },
    { values: [1.4e-45, 0], rectify: true, expected: [1, 0] },
    { values: [3.4e38, -3.4e38], rectify: false, expected: [1, -1] },
  ])('$values, rectify $rectify, is never NaN', ({ values, rectify, expected }) => {
    expect(shown(values, rectify)).toEqual(expected)
  })

  it.each([NaN, Infinity, -Infinity])('refuses %d', (value) => {
    expect(() => shown([1, value], true)).toThrow(expect.objectContaining({ code: 'BAD_RESULT' }))
  })

  it('leaves the raw values alone', () => {
    const raw = float32([-1, 2], [1, 2])
    normaliseForDisplay(raw, { rectify: true })
    expect([...raw.data]).toEqual([-1, 2])
  })
})
