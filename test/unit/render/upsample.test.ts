import { describe, expect, it } from 'vitest'
import { placeOnPicture, upsampleBilinear } from '../../../lib/render/upsample.ts'
import { float32 } from '../../../lib/tensor/tensor.ts'

/** The map of test/fixtures/image/goldens.py. */
const MAP = float32([-5, 0, 5, -1, -2, 5, 1, -3, 1, -1, -3, -5], [3, 4])

describe('upsampleBilinear', () => {
  // torch 2.15.0, interpolate(mode='bilinear', align_corners=False): test/fixtures/image/goldens.py
  it.each([
    {
      height: 6,
      width: 8,
      golden: [
        -5.0, -3.75, -1.25, 1.25, 3.75, 3.5, 0.5, -1.0, -4.25, -2.875, -0.125, 1.9375, 3.3125, 2.625, -0.125, -1.5,
        -2.75, -1.125, 2.125, 3.3125, 2.4375, 0.875, -1.375, -2.5, -1.25, -0.0625, 2.3125, 2.625, 0.875, -0.875, -2.625,
        -3.5, 0.25, 0.3125, 0.4375, -0.125, -1.375, -2.625, -3.875, -4.5, 1.0, 0.5, -0.5, -1.5, -2.5, -3.5, -4.5, -5.0,
      ],
    },
    {
      height: 5,
      width: 7,
      golden: [
        -5.0, -3.21429, -0.35714, 2.5, 4.57143, 1.14286, -1.0, -3.8, -1.72857, 1.58571, 2.7, 3.02857, 0.05714, -1.8,
        -2.0, 0.5, 4.5, 3.0, 0.71428, -1.57143, -3.0, -0.2, 0.37143, 1.28571, -0.0, -1.6, -3.2, -4.2, 1.0, 0.28571,
        -0.85714, -2.0, -3.14286, -4.28571, -5.0,
      ],
    },
    { height: 2, width: 3, golden: [-3.33333, 2.625, -0.58333, 0.29167, -0.75, -4.08333] },
    { height: 1, width: 1, golden: [3.0] },
    { height: 3, width: 4, golden: [-5, 0, 5, -1, -2, 5, 1, -3, 1, -1, -3, -5] },
  ])('to $height x $width equals PyTorch', ({ height, width, golden }) => {
    const found = upsampleBilinear(MAP, width, height)
    expect(found.dims).toEqual([height, width])
    golden.forEach((value, at) => expect(found.data[at]).toBeCloseTo(value, 4))
  })

  it('one cell fills everything', () => {
    expect([...upsampleBilinear(float32([7], [1, 1]), 3, 2).data]).toEqual([7, 7, 7, 7, 7, 7])
  })

  it('never leaves the range of the map', () => {
    const found = upsampleBilinear(MAP, 101, 57)
    expect(found.data.every((value) => value >= -5 && value <= 5)).toBe(true)
  })
})

describe('placeOnPicture', () => {
  it('inside its placement it is the enlarged map, outside there is nothing', () => {
    const placed = placeOnPicture(MAP, { x: 0.25, y: 0.5, width: 0.5, height: 0.25 }, 16, 24)
    const alone = upsampleBilinear(MAP, 8, 6)
    for (let y = 0; y < 24; y++)
      for (let x = 0; x < 16; x++) {
        const value = placed.data[y * 16 + x]
        if (x >= 4 && x < 12 && y >= 12 && y < 18) expect(value).toBeCloseTo(alone.data[(y - 12) * 8 + x - 4] ?? NaN, 5)
        else expect(value).toBeNaN()
      }
  })

  it('a placement between pixels takes the pixels whose middle it covers', () => {
    const placed = placeOnPicture(float32([1], [1, 1]), { x: 0.16, y: 0, width: 0.5, height: 1 }, 10, 1)
    // 1.6 to 6.6 covers the middles 2.5 to 6.5.
    expect([...placed.data].map((value) => !Number.isNaN(value))).toEqual([
      false,
      false,
      true,
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ])
  })
})
