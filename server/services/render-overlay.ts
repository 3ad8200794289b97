/** A run's map as a PNG: display only, the stored values stay as they are. Loads libvips; import it when it is needed. */
import { AppError } from '../../lib/errors.ts'
import { colourMapById, defaultColourMap } from '../../lib/render/colour-maps.ts'
import { reducePicture, renderHeat, renderOverlay as drawOver } from '../../lib/render/picture.ts'
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
  /** Its place among the maps of the run, from 0. */
  readonly map: number
  /** The longer side in pixels, for a thumbnail; never larger than the picture. null: the picture's own. */
  readonly size: number | null
}

const OVERLAY_OPACITY = 0.5

/** The extent of a picture whose longer side is at most so long. */
function within({ width, height }: { readonly width: number; readonly height: number }, size: number | null) {
  const scale = size === null ? 1 : Math.min(1, size / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

/** @throws AppError NOT_FOUND while there is no map, BAD_PARAMETER */
export async function renderOverlay(
  parts: Pick<Parts, 'prisma' | 'files' | 'imaging'>,
  run: Run,
  { colormap, opacity, rectify, view, map: place, size }: OverlayOptions,
): Promise<Uint8Array> {
  const colourMap = colormap === null ? defaultColourMap(rectify) : colourMapById(colormap).id
  const { detail, values } = await readAttribution(parts, run, place)
  const asset = run.assetId === null ? null : await parts.prisma.asset.findUnique({ where: { id: run.assetId } })
  if (detail.kind !== 'image' || asset === null)
    throw new AppError({ code: 'NOT_FOUND', message: 'This run explains a text; it has no map to draw.' })
  const map = float32(values, [detail.height, detail.width])
  const { placement } = detail
  const { width, height } = within(asset, size)
  if (view === 'heat') return renderHeat({ map, placement, colourMap, rectify, opacity: opacity ?? 1 }, width, height)
  const shown = await parts.imaging.decode(await readDisplay(parts, asset.id))
  const under = size === null ? shown : await reducePicture(shown, width, height)
  return drawOver({ map, placement, colourMap, rectify, opacity: opacity ?? OVERLAY_OPACITY }, under)
}
