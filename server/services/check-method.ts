/** Whether a method can run on a model at the layer asked for: settled before anything is stored. */
import { AppError } from '../../lib/errors.ts'
import type { Tap } from '../../lib/engine/model.ts'
import type { Method } from '../../lib/methods/method.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import type { ModelDescription } from '../jobs/kinds/describe.ts'
import { didYouMean, listed, quoted } from '../../lib/suggest.ts'

/** The layer among the parsed parameters; null where the method takes none or its default is meant. */
function layerOf(params: unknown): string | null {
  if (params === null || typeof params !== 'object' || !('layer' in params)) return null
  return typeof params.layer === 'string' ? params.layer : null
}

/** The taps the method could be asked at. */
function candidates(method: Method, description: ModelDescription): readonly Tap[] {
  return description.taps.filter(
    (tap) =>
      (!method.needs.includes('spatial-tap') || tap.spatial) &&
      (!method.needs.includes('gradient') || tap.differentiable) &&
      (!method.needs.includes('linear-head') || description.linearHeads.includes(tap.id)),
  )
}

/** A phrase; null where nothing is in the way. */
function whyNotAt(tap: Tap, method: Method, description: ModelDescription): string | null {
  if (method.needs.includes('spatial-tap') && !tap.spatial) return 'it has no spatial extent'
  if (method.needs.includes('gradient') && !tap.differentiable)
    return tap.reason?.replace(/\.$/, '') ?? 'no gradient reaches it'
  if (method.needs.includes('linear-head') && !description.linearHeads.includes(tap.id))
    return 'what follows it is not global average pooling and one linear layer'
  return null
}

/** @throws AppError METHOD_UNAVAILABLE, UNKNOWN_LAYER */
export function checkMethod(
  method: Method,
  params: unknown,
  model: CatalogueEntry,
  description: ModelDescription,
): void {
  const reason = description.unavailable[method.id]
  if (reason !== undefined)
    throw new AppError({
      code: 'METHOD_UNAVAILABLE',
      message: `${method.title} cannot explain ${model.card.title}. ${reason}`,
      details: { method: method.id, model: model.id },
    })
  const layer = layerOf(params)
  if (layer === null) return
  const tap = description.taps.find((one) => one.id === layer)
  const possible = candidates(method, description).map((one) => one.id)
  const choices = `Layers ${method.title} can use: ${listed(possible, 20)}.`
  const details = { layer, layers: possible }
  if (tap === undefined)
    throw new AppError({
      code: 'UNKNOWN_LAYER',
      message: `${model.card.title} has no layer ${quoted(layer)}.${didYouMean(layer, possible)} ${choices}`,
      details,
    })
  const why = whyNotAt(tap, method, description)
  if (why !== null)
    throw new AppError({
      code: 'METHOD_UNAVAILABLE',
      message: `${method.title} cannot be asked at the layer ${quoted(layer)}: ${why}. ${choices}`,
      details,
    })
}
