/** The `layer` parameter of image methods: which tap to look at. */
import { z } from 'zod'
import { AppError } from '../../../errors.ts'
import type { ExplainableModel, Tap } from '../../../engine/model.ts'

/** `tap: 'spatial'` tells the UI to offer the model's spatial taps as a list. */
export const layerField = z.string().min(1).nullable().default(null).meta({
  title: 'Layer',
  description:
    'The layer whose map is explained: late layers show what the model recognised, early ones where it saw edges and texture. By default the last map, or what the model card names.',
  tap: 'spatial',
})

/** The parameters of a method that has no other. */
export const layerParams = z.strictObject({ layer: layerField })
export type LayerParams = z.infer<typeof layerParams>

/** Ids named in one sentence; the error's details have all of them. */
const NAMED = 30

const spoken = (tap: Tap): string => (tap.label === tap.id || tap.label === '' ? tap.id : `${tap.id} (${tap.label})`)

function unknownLayer(model: ExplainableModel, layer: string): AppError {
  const spatial = model.taps.filter((tap) => tap.spatial)
  const named = spatial.slice(-NAMED).map(spoken).join(', ')
  const more =
    spatial.length > NAMED ? `the last ${NAMED} of its ${spatial.length} layers with a map` : 'its layers with a map'
  return new AppError({
    code: 'UNKNOWN_LAYER',
    message: `no tap ${JSON.stringify(layer)}`,
    userMessage:
      spatial.length === 0
        ? `This model has no layer "${layer}", and no layer with a map at all.`
        : `This model has no layer "${layer}". Choose one of ${more}: ${named}.`,
    details: { layer, layers: spatial.map((tap) => tap.id) },
  })
}

/**
 * The tap a `layer` parameter stands for.
 *
 * @param layer a tap id; null for the model's default tap
 * @throws AppError UNKNOWN_LAYER listing the spatial taps; METHOD_UNAVAILABLE where the tap is not spatial
 */
export function spatialTap(model: ExplainableModel, layer: string | null): Tap {
  const id = layer ?? model.defaultTap
  const tap = model.taps.find((one) => one.id === id)
  if (tap === undefined) throw unknownLayer(model, id)
  if (!tap.spatial)
    throw new AppError({
      code: 'METHOD_UNAVAILABLE',
      message: `tap ${id} has shape [${tap.shape.join(', ')}], no [N, C, H, W] with H * W > 1`,
      userMessage: `Layer "${tap.label || id}" has no height and width, so there is no map to draw. Choose a layer that has, such as ${model.taps.findLast((one) => one.spatial)?.id ?? '(this model has none)'}.`,
      details: { layer: id, shape: tap.shape },
    })
  return tap
}

/** As {@link spatialTap}, for methods that differentiate. @throws also NOT_DIFFERENTIABLE with the reason. */
export function differentiableSpatialTap(model: ExplainableModel, layer: string | null): Tap {
  const tap = spatialTap(model, layer)
  if (tap.differentiable) return tap
  throw new AppError({
    code: 'NOT_DIFFERENTIABLE',
    message: `tap ${tap.id}: ${tap.reason ?? 'no gradient'}`,
    userMessage:
      `No gradient reaches layer "${tap.label || tap.id}". ${tap.reason ?? ''} Choose a later layer.`.replaceAll(
        /\s+/g,
        ' ',
      ),
    details: { layer: tap.id },
  })
}
