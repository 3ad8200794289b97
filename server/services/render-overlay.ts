/** A run's map as a PNG: display only, the stored values stay as they are. Loads libvips; import it when it is needed. */
import { AppError } from '../../lib/errors.ts'
import { colourMapById, defaultColourMap } from '../../lib/render/colour-maps.ts'
import { renderHeat, renderOverlay as drawOver } from '../../lib/render/picture.ts'
import { float32 } from '../../lib/tensor/tensor.ts'
import type { Run } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'
import { readAttribution, readDisplay } from './read-pictures.ts'

export interface OverlayOptions {
  /** null: the usual one, by whether values below zero are shown. */
  readonly colormap: string | null
  /** 0..1; null: half for the map over its picture, full for the map alone. */
  readonly opacity: number | null
  /** Leave out what speaks against the class. */
  readonly rectify: boolean
  readonly view: 'overlay' | 'heat'
}

const OVERLAY_OPACITY = 0.5

/** @throws AppError NOT_FOUND while there is no map, BAD_PARAMETER */
export async function renderOverlay(
  parts: Pick<Parts, 'prisma' | 'files' | 'imaging'>,
  run: Run,
  { colormap, opacity, rectify, view }: OverlayOptions,
): Promise<Uint8Array> {
  const colourMap = colormap === null ? defaultColourMap(rectify) : colourMapById(colormap).id
  const { detail, values } = await readAttribution(parts, run)
  const asset = run.assetId === null ? null : await parts.prisma.asset.findUnique({ where: { id: run.assetId } })
  if (detail.kind !== 'image' || asset === null)
    throw new AppError({ code: 'NOT_FOUND', message: 'This run explains a text; it has no map to draw.' })
  const map = float32(values, [detail.height, detail.width])
  const { placement } = detail
  if (view === 'heat')
    return renderHeat({ map, placement, colourMap, rectify, opacity: opacity ?? 1 }, asset.width, asset.height)
  const under = await parts.imaging.decode(await readDisplay(parts, asset.id))
  return drawOver({ map, placement, colourMap, rectify, opacity: opacity ?? OVERLAY_OPACITY }, under)
}
