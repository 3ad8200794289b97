/** The page's legend and the server's pictures have the same colours. */
import { graphql } from 'graphql'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { fittingColourMaps, strip, type MapDisplay } from '../../app/_run/mapDisplay.ts'
import type { ColourMap } from '../../app/_graphql/types.ts'
import { COLOUR_MAP_IDS, defaultColourMap, type ColourMapId } from '../../lib/render/colour-maps.ts'
import { renderHeat } from '../../lib/render/picture.ts'
import { float32 } from '../../lib/tensor/tensor.ts'
import { createSchema } from '../../server/schema/schema.ts'

const { data } = await graphql({ schema: createSchema(), source: '{ colourMaps { id title kind colours } }' })
const served = (data as unknown as { colourMaps: readonly ColourMap[] }).colourMaps

/** A map with one pixel for each colour, drawn by the server. */
async function drawn(colourMap: ColourMapId, rectify: boolean): Promise<string[]> {
  const ramp = Array.from({ length: 256 }, (_, row) => (rectify ? row / 255 : (2 * row) / 255 - 1))
  const placement = { x: 0, y: 0, width: 1, height: 1 }
  const png = await renderHeat({ map: float32(ramp, [1, 256]), placement, colourMap, rectify }, 256, 1)
  const pixels = await sharp(png).removeAlpha().raw().toBuffer()
  return (pixels.toString('hex').match(/.{6}/g) ?? []).map((colour) => `#${colour}`)
}

const shown = (rectified: boolean, chosen: string | null = null): MapDisplay => ({
  opacity: 1,
  visible: true,
  chosen: { SEQUENTIAL: chosen, DIVERGING: chosen },
  rectified,
})

it('every colour map is served', () => {
  expect(served.map(({ id }) => id)).toEqual(COLOUR_MAP_IDS)
})

describe.each(COLOUR_MAP_IDS)('%s', (id) => {
  it('the strip has the colours of the picture, in their order', async () => {
    const [map] = served.filter((one) => one.id === id)
    const rectified = map?.kind === 'SEQUENTIAL'
    const { used } = fittingColourMaps(served, shown(rectified, id))
    expect(used?.id).toBe(id)
    expect(strip(used)).toBe(`linear-gradient(to right, ${(await drawn(id, rectified)).join(', ')})`)
  })
})

it.each([true, false])('the strip nobody chose is the one of the picture nobody chose (rectified: %s)', (rectified) => {
  expect(fittingColourMaps(served, shown(rectified)).used?.id).toBe(defaultColourMap(rectified))
  expect(fittingColourMaps(served, shown(rectified, 'gone')).used?.id).toBe(defaultColourMap(rectified))
})

it('before the colours are known there is no strip', () => {
  expect(strip(fittingColourMaps([], shown(true)).used)).toBe('none')
})
