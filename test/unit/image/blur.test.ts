import { describe, expect, it } from 'vitest'
import { blurMatrices, gaussianWeights, mirrored } from '../../../lib/image/blur.ts'
import { pictureUnits } from '../../../lib/image/units.ts'
import { float32 } from '../../../lib/tensor/tensor.ts'
import { AS_IT_IS } from '../../helpers/image-context.ts'

const rowsOf = (matrix: Float32Array, extent: number): number[][] =>
  Array.from({ length: extent }, (_, row) => [...matrix.subarray(row * extent, (row + 1) * extent)])

describe('blur as a matrix', () => {
  it('mirrors about the outer pixels, however far it reaches', () => {
    expect([-2, -1, 0, 3, 4, 5, 6, 7].map((at) => mirrored(at, 4))).toEqual([2, 1, 0, 3, 2, 1, 0, 1])
    expect(mirrored(-9, 1)).toBe(0)
  })

  it('keeps a constant, and its slope adds nothing to one', () => {
    for (const sigma of [0, 0.1, 0.6, 2, 7]) {
      const { blur, slope } = blurMatrices(9, sigma, 28)
      for (const row of rowsOf(blur, 9)) expect(row.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 5)
      for (const row of rowsOf(slope, 9)) expect(row.reduce((sum, one) => sum + one, 0)).toBeCloseTo(0, 5)
    }
  })

  it('is the identity without width', () => {
    const { blur, slope } = blurMatrices(5, 0, 4)
    rowsOf(blur, 5).forEach((row, at) => expect(row).toEqual([0, 1, 2, 3, 4].map((other) => Number(other === at))))
    expect(slope.every((one) => one === 0)).toBe(true)
  })

  it.each([0.3, 0.5, 1, 3])('its slope at σ = %d is that of differences', (sigma) => {
    const step = 1e-3
    const [before, after] = [blurMatrices(8, sigma - step, 12).blur, blurMatrices(8, sigma + step, 12).blur]
    blurMatrices(8, sigma, 12).slope.forEach((one, at) =>
      expect(one).toBeCloseTo(((after[at] ?? NaN) - (before[at] ?? NaN)) / (2 * step), 3),
    )
  })

  it('blurs as the picture units do, cut at the same place', () => {
    const line = Float32Array.from({ length: 3 * 36 }, (_, at) => (at * 37) % 11)
    const picture = float32(line, [1, 3, 6, 6])
    const { blur } = blurMatrices(6, 1.5, 5)
    const expected = pictureUnits(AS_IT_IS).blurred(picture, 1.5).data
    for (let at = 0; at < 36; at += 1) {
      const [y, x] = [Math.floor(at / 6), at % 6]
      let sum = 0
      for (let from = 0; from < 36; from += 1)
        sum += (blur[y * 6 + Math.floor(from / 6)] ?? NaN) * (blur[x * 6 + (from % 6)] ?? NaN) * (line[from] ?? NaN)
      expect(sum).toBeCloseTo(expected[at] ?? NaN, 4)
    }
  })

  it('weights sum to 1 and fall from the middle', () => {
    const weights = gaussianWeights(2, 6)
    expect(weights.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 12)
    expect(Math.max(...weights)).toBe(weights[6])
  })
})
