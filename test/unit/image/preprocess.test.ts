import { describe, expect, it } from 'vitest'
import { decodeImage } from '../../../lib/image/decode.ts'
import { placementOf, preprocessImage } from '../../../lib/image/preprocess.ts'
import type { ImagePreprocessing } from '../../../lib/models/card.ts'
import { encoded, pixelAt, quarters } from '../../helpers/images.ts'

const CARD: ImagePreprocessing = {
  kind: 'image',
  width: 6,
  height: 4,
  resize: 'squash',
  layout: 'NCHW',
  mean: [10, 20, 30],
  std: [2, 4, 8],
  colour: 'RGB',
}

const decoded = async (width = 120, height = 80) => decodeImage(await encoded('png', quarters(width, height)))

describe('preprocessImage', () => {
  it('squash: [1, 3, H, W], each channel (value - mean) / std', async () => {
    const image = await decoded()
    const { feed, placement } = await preprocessImage(image, CARD)
    expect(feed.dims).toEqual([1, 3, 4, 6])
    expect(placement).toEqual({ x: 0, y: 0, width: 1, height: 1 })
    // Position (0, 0) of the feed is the mean colour around picture pixel (10, 10): red quarter plus its shade.
    const colour = pixelAt(image, 10, 10)
    for (const channel of [0, 1, 2]) {
      const value = (feed.data[channel * 24] ?? NaN) * (CARD.std[channel] ?? 0) + (CARD.mean[channel] ?? 0)
      expect(Math.abs(value - (colour[channel] ?? NaN))).toBeLessThan(2)
    }
  })

  it('BGR: blue first, mean and std in the order of the feed', async () => {
    const image = await decoded()
    const rgb = await preprocessImage(image, { ...CARD, mean: [0, 0, 0], std: [1, 1, 1] })
    const bgr = await preprocessImage(image, { ...CARD, colour: 'BGR' })
    for (let at = 0; at < 24; at++) {
      expect(bgr.feed.data[at]).toBeCloseTo(((rgb.feed.data[48 + at] ?? NaN) - 10) / 2, 4)
      expect(bgr.feed.data[24 + at]).toBeCloseTo(((rgb.feed.data[24 + at] ?? NaN) - 20) / 4, 4)
      expect(bgr.feed.data[48 + at]).toBeCloseTo(((rgb.feed.data[at] ?? NaN) - 30) / 8, 4)
    }
  })

  it('the file layout does not change the feed', async () => {
    const image = await decoded()
    const nchw = await preprocessImage(image, CARD)
    const nhwc = await preprocessImage(image, { ...CARD, layout: 'NHWC' })
    expect(nhwc.feed).toEqual(nchw.feed)
  })

  it('crop: only the window is seen, and the placement says which', async () => {
    const image = await decoded(200, 100)
    const square = { ...CARD, width: 8, height: 8, resize: 'crop', cropFraction: 0.5 } as const
    const { feed, placement } = await preprocessImage(image, { ...square, mean: [0, 0, 0], std: [1, 1, 1] })
    expect(placement).toEqual({ x: 0.375, y: 0.25, width: 0.25, height: 0.5 })
    // The window is 50 x 50 pixels from (75, 25): its corner pixel lies 6.25 / 2 pixels further in.
    pixelAt(image, 78, 28).forEach((value, channel) =>
      expect(Math.abs((feed.data[channel * 64] ?? NaN) - value)).toBeLessThan(2),
    )
  })

  it.each([
    [2000, 40],
    [40, 2000],
  ])('an aspect ratio of 1:50 (%i x %i)', async (width, height) => {
    const image = await decoded(width, height)
    const squashed = await preprocessImage(image, { ...CARD, width: 32, height: 32 })
    expect(squashed.feed.data.every(Number.isFinite)).toBe(true)
    const { placement } = await preprocessImage(image, { ...CARD, width: 32, height: 32, resize: 'crop' })
    expect(placement.width * width).toBeCloseTo(40)
    expect(placement.height * height).toBeCloseTo(40)
  })

  it('resizes with the filter that the card names; bilinear where it names none', async () => {
    const image = await decoded()
    const { feed } = await preprocessImage(image, CARD)
    expect((await preprocessImage(image, { ...CARD, filter: 'bilinear' })).feed).toEqual(feed)
    expect((await preprocessImage(image, { ...CARD, filter: 'bicubic' })).feed).not.toEqual(feed)
  })

  it('gives identical bytes twice', async () => {
    const image = await decoded()
    expect((await preprocessImage(image, CARD)).feed).toEqual((await preprocessImage(image, CARD)).feed)
  })
})

describe('placementOf', () => {
  it.each([
    { extent: [100, 100], crop: [10, 10, 1], expected: [0, 0, 1, 1] },
    { extent: [100, 100], crop: [10, 10, undefined], expected: [0, 0, 1, 1] },
    { extent: [400, 200], crop: [224, 224, 0.875], expected: [0.28125, 0.0625, 0.4375, 0.875] },
    { extent: [200, 400], crop: [224, 224, 1], expected: [0, 0.25, 1, 0.5] },
    { extent: [100, 100], crop: [200, 100, 1], expected: [0, 0.25, 1, 0.5] },
  ])('crop of $extent to $crop', ({ extent: [width, height], crop: [toWidth, toHeight, fraction], expected }) => {
    const placement = placementOf(width ?? 0, height ?? 0, {
      ...CARD,
      width: toWidth ?? 0,
      height: toHeight ?? 0,
      resize: 'crop',
      ...(fraction === undefined ? {} : { cropFraction: fraction }),
    })
    const [x, y, w, h] = expected
    expect(placement.x).toBeCloseTo(x ?? NaN)
    expect(placement.y).toBeCloseTo(y ?? NaN)
    expect(placement.width).toBeCloseTo(w ?? NaN)
    expect(placement.height).toBeCloseTo(h ?? NaN)
  })
})
