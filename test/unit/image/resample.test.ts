import { describe, expect, it } from 'vitest'
import { resample } from '../../../lib/image/resample.ts'

/** The picture of test/fixtures/image/goldens.py: [height, width, 3]. */
function picture(width: number, height: number): Uint8Array {
  const rgb = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) rgb[(y * width + x) * 3 + c] = (x * 37 + y * 91 + c * 53 + x * y * 7) % 256
  return rgb
}
const channel = (pixels: Float32Array, index: number): number[] => [...pixels].filter((_, at) => at % 3 === index)
const whole = (width: number, height: number) => ({ x: 0, y: 0, width, height })

describe('resample', () => {
  // torch 2.15.0, interpolate(mode='bilinear', antialias=True): test/fixtures/image/goldens.py
  it.each([
    {
      from: [7, 5],
      to: [4, 3],
      golden: [112.952, 144.48, 139.086, 124.707, 137.101, 126.04, 137.96, 126.899, 147.51, 133.931, 139.76, 128.898],
    },
    {
      from: [3, 4],
      to: [5, 6],
      golden: [
        53.0, 67.8, 90.0, 112.2, 127.0, 98.5, 114.7, 139.0, 163.3, 179.5, 159.167, 160.167, 161.667, 188.767, 206.833,
        219.833, 154.433, 56.333, 86.233, 106.167, 152.5, 123.1, 79.0, 111.7, 133.5, 70.0, 93.2, 128.0, 162.8, 186.0,
      ],
    },
    { from: [12, 9], to: [2, 2], golden: [134.05, 129.5, 128.464, 123.552] },
  ] as const)('$from -> $to equals PyTorch', ({ from: [width, height], to: [toWidth, toHeight], golden }) => {
    const pixels = resample(picture(width, height), width, height, whole(width, height), toWidth, toHeight)
    const found = channel(pixels, 1)
    expect(found).toHaveLength(golden.length)
    golden.forEach((value, at) => expect(found[at]).toBeCloseTo(value, 2))
  })

  it('a box with fractions equals Pillow to its rounding', () => {
    const golden = [138, 131, 134, 118, 123, 119, 135, 127, 120] // Pillow 13.0.0, test/fixtures/image/goldens.py
    const found = channel(resample(picture(12, 9), 12, 9, { x: 2.25, y: 1, width: 7.5, height: 7.5 }, 3, 3), 2)
    golden.forEach((value, at) => expect(Math.abs((found[at] ?? NaN) - value)).toBeLessThanOrEqual(1))
  })

  // Pillow 13.0.0, BICUBIC in floats, cut off at 0 and 255 after each pass: test/fixtures/image/goldens.py. The last picture is
  // black and white only, and enlarged, so that the filter overshoots.
  it.each([
    {
      from: [12, 9],
      box: { x: 2.25, y: 1, width: 7.5, height: 7.5 },
      to: [3, 3],
      golden: [139.841, 132.029, 135.414, 116.61, 123.056, 114.505, 135.461, 124.997, 120.923],
    },
    {
      from: [7, 5],
      box: whole(7, 5),
      to: [4, 3],
      golden: [
        162.759, 138.881, 166.924, 109.583, 113.327, 134.705, 142.889, 123.352, 136.069, 127.309, 133.3, 116.829,
      ],
    },
    {
      from: [4, 3],
      box: whole(4, 3),
      to: [7, 5],
      twoLevels: true,
      golden: [
        0.0, 63.591, 242.586, 255.0, 255.0, 255.0, 255.0, 100.858, 150.866, 255.0, 210.28, 154.142, 154.142, 154.142,
        255.0, 255.0, 255.0, 127.5, 0.0, 0.0, 0.0, 100.858, 97.409, 89.957, 121.791, 154.142, 154.142, 154.142, 0.0,
        0.0, 0.0, 127.5, 255.0, 255.0, 255.0,
      ],
    },
  ] as const)('bicubic, $from -> $to equals Pillow', ({ from: [width, height], box, to, golden, ...rest }) => {
    const levels = picture(width, height)
    const rgb = 'twoLevels' in rest ? levels.map((value) => (value < 128 ? 0 : 255)) : levels
    const found = channel(resample(rgb, width, height, box, to[0], to[1], 'bicubic'), 2)
    expect(found).toHaveLength(golden.length)
    golden.forEach((value, at) => expect(found[at]).toBeCloseTo(value, 2))
  })

  it.each(['bilinear', 'bicubic'] as const)('is the identity at the same extent (%s)', (filter) => {
    const rgb = picture(9, 6)
    expect(resample(rgb, 9, 6, whole(9, 6), 9, 6, filter)).toEqual(Float32Array.from(rgb))
  })

  it.each([
    [1, 2000, 224, 224],
    [2000, 1, 224, 224],
    [1, 1, 8, 8],
    [2000, 40, 2, 3],
  ])('keeps a constant picture constant (%i x %i -> %i x %i)', (width, height, toWidth, toHeight) => {
    const rgb = new Uint8Array(width * height * 3).fill(77)
    for (const filter of ['bilinear', 'bicubic'] as const) {
      const pixels = resample(rgb, width, height, whole(width, height), toWidth, toHeight, filter)
      expect(pixels).toHaveLength(toWidth * toHeight * 3)
      expect(pixels.every((value) => Math.abs(value - 77) < 1e-4)).toBe(true)
    }
  })
})
