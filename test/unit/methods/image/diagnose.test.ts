import { describe, expect, it } from 'vitest'
import { diagnoseMap } from '../../../../lib/methods/image/shared/diagnose.ts'
import { classTarget } from '../../../../lib/target/target.ts'
import { float32 } from '../../../../lib/tensor/tensor.ts'

const LOGITS = float32([1, 0, -1], [3])
const map = (...values: number[]) => float32(values, [1, values.length])
const codes = (...args: Parameters<typeof diagnoseMap>): string[] => diagnoseMap(...args).map(({ code }) => code)

describe('diagnoseMap', () => {
  it.each([
    { values: [-1, 2, 3], expected: [] },
    { values: [0, 0, 1e-30], expected: [] },
    { values: [-1, -2, -3], expected: ['ALL_NEGATIVE'] },
    { values: [0, -2, 0], expected: ['ALL_NEGATIVE'] },
    { values: [0, 0, 0], expected: ['CONSTANT_MAP'] },
    { values: [5, 5, 5.000001], expected: ['CONSTANT_MAP'] },
    { values: [5, 5, 5.001], expected: [] },
    { values: [-5, -5, -5], expected: ['CONSTANT_MAP', 'ALL_NEGATIVE'] },
  ])('$values: $expected', ({ values, expected }) => {
    expect(codes(map(...values), LOGITS, classTarget(0), null)).toEqual(expected)
  })

  it('a zero gradient is the reason, not the constant map it makes', () => {
    expect(codes(map(0, 0), LOGITS, classTarget(0), 0)).toEqual(['ZERO_GRADIENT'])
    expect(codes(map(0, 0), LOGITS, classTarget(0), 1)).toEqual(['CONSTANT_MAP'])
  })

  it.each([
    { logits: [0, 0], index: 0, saturated: false },
    { logits: [8, 0], index: 0, saturated: false },
    { logits: [10, 0], index: 0, saturated: true },
    { logits: [10, 0], index: 1, saturated: true },
    { logits: [-700, 700], index: 0, saturated: true },
    { logits: [3], index: 0, saturated: false },
  ])('logits $logits, class $index: saturated $saturated', ({ logits, index, saturated }) => {
    const found = codes(map(-1, 1), float32(logits, [logits.length]), classTarget(index), null)
    expect(found).toEqual(saturated ? ['SOFTMAX_SATURATED'] : [])
  })
})
