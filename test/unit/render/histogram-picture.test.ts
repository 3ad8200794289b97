import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { COLOUR_MAPS } from '../../../lib/render/colour-maps.ts'
import { histogramPixels, renderHistograms } from '../../../lib/render/histogram-picture.ts'

const { table } = COLOUR_MAPS.viridis
const colour = (row: number): number[] => [...table.subarray(row * 3, row * 3 + 3)]
/** log(1 + 3) of log(1 + 15) is a half, log(1 + 1) a quarter. */
const [NONE, QUARTER, HALF, ALL] = [0, 64, 128, 255].map(colour)

describe('histograms as a picture', () => {
  it('have the logarithm of their counts as colours; a row of fewer bins is as wide', () => {
    const { width, height, rgb } = histogramPixels({ rows: [[0, 1, 3, 15], [15, 0]], colourMap: 'viridis' }) // prettier-ignore
    expect([width, height]).toEqual([4, 2])
    expect([...rgb]).toEqual([NONE, QUARTER, HALF, ALL, ALL, ALL, NONE, NONE].flat())
  })

  it('of nothing have the lowest colour, and of a diverging map the one that stands for zero', () => {
    expect([...histogramPixels({ rows: [[0]], colourMap: 'viridis' }).rgb]).toEqual(NONE)
    const { table: diverging } = COLOUR_MAPS['blue-red']
    expect([...histogramPixels({ rows: [[0]], colourMap: 'blue-red' }).rgb]).toEqual([...diverging.subarray(384, 387)])
  })

  it('are enlarged cell by cell, and not without end', async () => {
    const png = await renderHistograms({ rows: [[0, 15]], colourMap: 'viridis', cell: 2 })
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height]).toEqual([4, 2])
    const line = [NONE, NONE, ALL, ALL].flat()
    expect([...data]).toEqual([...line, ...line])
    const wide = [new Float64Array(4096)]
    await expect(renderHistograms({ rows: wide, colourMap: 'viridis', cell: 65 })).rejects.toThrow('smaller cell')
  })
})
