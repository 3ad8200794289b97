import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { COLOUR_MAPS } from '../../../lib/render/colour-maps.ts'
import type { ColourMapId } from '../../../lib/render/colour-maps.ts'
import { renderHeat, renderOverlay } from '../../../lib/render/picture.ts'
import { float32 } from '../../../lib/tensor/tensor.ts'
import { quarters } from '../../helpers/images.ts'

const WHOLE = { x: 0, y: 0, width: 1, height: 1 }
/** One value a pixel, so that nothing is interpolated. */
const MAP = float32([-4, -2, 0, 1, 2, 4], [2, 3])

interface Decoded {
  readonly width: number
  readonly height: number
  readonly channels: number
  pixel(x: number, y: number): number[]
}
async function decoded(png: Uint8Array): Promise<Decoded> {
  expect((await sharp(png).metadata()).format).toBe('png')
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  return {
    width,
    height,
    channels,
    pixel: (x, y) => [...data.subarray((y * width + x) * channels, (y * width + x + 1) * channels)],
  }
}
const tableColour = (id: ColourMapId, row: number): number[] => [
  ...COLOUR_MAPS[id].table.subarray(row * 3, row * 3 + 3),
]

describe('renderHeat', () => {
  it('rectified on a sequential map: zero and below at its low end, the largest at its high end', async () => {
    const heat = await decoded(
      await renderHeat({ map: MAP, placement: WHOLE, colourMap: 'inferno', rectify: true }, 3, 2),
    )
    expect([heat.width, heat.height, heat.channels]).toEqual([3, 2, 4])
    for (const x of [0, 1, 2]) expect(heat.pixel(x, 0)).toEqual([...tableColour('inferno', 0), 255])
    expect(heat.pixel(0, 1)).toEqual([...tableColour('inferno', 64), 255])
    expect(heat.pixel(1, 1)).toEqual([...tableColour('inferno', 128), 255])
    expect(heat.pixel(2, 1)).toEqual([...tableColour('inferno', 255), 255])
  })

  it('signed on a diverging map: zero in the middle, both ends of one strength', async () => {
    const heat = await decoded(
      await renderHeat({ map: MAP, placement: WHOLE, colourMap: 'blue-red', rectify: false }, 3, 2),
    )
    expect(heat.pixel(0, 0)).toEqual([...tableColour('blue-red', 0), 255])
    expect(heat.pixel(2, 0)).toEqual([...tableColour('blue-red', 128), 255])
    expect(heat.pixel(2, 1)).toEqual([...tableColour('blue-red', 255), 255])
  })

  it('rectified on a diverging map: zero stays pale', async () => {
    const heat = await decoded(
      await renderHeat({ map: MAP, placement: WHOLE, colourMap: 'blue-red', rectify: true }, 3, 2),
    )
    expect(heat.pixel(0, 0)).toEqual([...tableColour('blue-red', 128), 255])
    expect(heat.pixel(2, 1)).toEqual([...tableColour('blue-red', 255), 255])
  })

  it('is transparent outside its placement', async () => {
    const placement = { x: 0.25, y: 0, width: 0.5, height: 1 }
    const heat = await decoded(await renderHeat({ map: MAP, placement, colourMap: 'viridis', rectify: true }, 8, 4))
    for (let x = 0; x < 8; x++) expect(heat.pixel(x, 1)[3]).toBe(x >= 2 && x < 6 ? 255 : 0)
  })

  it('opacity is its alpha', async () => {
    const half = { map: MAP, placement: WHOLE, colourMap: 'viridis', rectify: true, opacity: 0.4 } as const
    expect((await decoded(await renderHeat(half, 3, 2))).pixel(1, 1)[3]).toBe(102)
  })

  it.each([
    { name: 'zero', values: [0, 0, 0, 0], rectify: true, row: 0 },
    { name: 'negative', values: [-1, -3, -2, -1], rectify: true, row: 0 },
    { name: 'constant', values: [2, 2, 2, 2], rectify: true, row: 255 },
    { name: 'zero, signed', values: [0, 0, 0, 0], rectify: false, row: 128 },
  ])('a map that is $name everywhere has one colour', async ({ values, rectify, row }) => {
    const picture = { map: float32(values, [2, 2]), placement: WHOLE, colourMap: 'magma', rectify } as const
    const heat = await decoded(await renderHeat(picture, 5, 5))
    for (let at = 0; at < 25; at++)
      expect(heat.pixel(at % 5, Math.floor(at / 5))).toEqual([...tableColour('magma', row), 255])
  })

  it('gives identical bytes twice', async () => {
    const picture = { map: MAP, placement: WHOLE, colourMap: 'turbo', rectify: false } as const
    expect(await renderHeat(picture, 300, 200)).toEqual(await renderHeat(picture, 300, 200))
  })
})

describe('renderOverlay', () => {
  const under = quarters(30, 20)
  const at = (x: number, y: number): number[] => [...under.rgb.subarray((y * 30 + x) * 3, (y * 30 + x) * 3 + 3)]
  const picture = {
    map: float32([5], [1, 1]),
    placement: { x: 0.5, y: 0, width: 0.5, height: 1 },
    colourMap: 'viridis',
    rectify: true,
  } as const

  it('mixes the colour with the picture under the placement, and leaves the rest alone', async () => {
    const overlay = await decoded(await renderOverlay({ ...picture, opacity: 0.25 }, under))
    expect([overlay.width, overlay.height, overlay.channels]).toEqual([30, 20, 3])
    expect(overlay.pixel(3, 3)).toEqual(at(3, 3))
    const top = tableColour('viridis', 255)
    expect(overlay.pixel(20, 15)).toEqual(
      at(20, 15).map((v, channel) => Math.round(0.75 * v + 0.25 * (top[channel] ?? NaN))),
    )
  })

  it('opacity 0 is the picture, 1 the map', async () => {
    expect((await decoded(await renderOverlay({ ...picture, opacity: 0 }, under))).pixel(20, 15)).toEqual(at(20, 15))
    expect((await decoded(await renderOverlay(picture, under))).pixel(20, 15)).toEqual(tableColour('viridis', 255))
  })

  it('does not write into the picture', async () => {
    const before = Uint8Array.from(under.rgb)
    await renderOverlay(picture, under)
    expect(under.rgb).toEqual(before)
  })
})

describe('what cannot be drawn', () => {
  const picture = { map: MAP, placement: WHOLE, colourMap: 'viridis', rectify: true } as const
  it.each([-0.1, 1.1, NaN])('opacity %d', async (opacity) => {
    await expect(renderHeat({ ...picture, opacity }, 3, 2)).rejects.toMatchObject({ code: 'BAD_PARAMETER' })
    await expect(renderOverlay({ ...picture, opacity }, quarters())).rejects.toMatchObject({ code: 'BAD_PARAMETER' })
  })

  it('a map with NaN', async () => {
    const broken = { ...picture, map: float32([NaN, 1], [1, 2]) }
    await expect(renderHeat(broken, 3, 2)).rejects.toMatchObject({ code: 'BAD_RESULT' })
  })
})
