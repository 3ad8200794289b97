/** Which maps a question is about: one, as most are, or one for each of several layers and targets. */
import { AppError } from '../../lib/errors.ts'
import { costFacts } from '../../lib/methods/cost.ts'
import { mapCount, type MapsAsked } from '../../lib/methods/maps-asked.ts'
import type { Method } from '../../lib/methods/method.ts'
import { layerIn, placeFor } from '../../lib/methods/place.ts'
import { costOfAll, MOST_MAPS, placesAt, stripOf, tapsAt, type MapPlace } from '../../lib/methods/several.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import type { ModelFacts } from '../../lib/models/facts.ts'
import { resolveTarget, type TargetRequest } from '../../lib/target/request.ts'
import { checkTarget, targetFor } from '../../lib/target/scalar.ts'
import type { Target } from '../../lib/target/target.ts'
import { canonicalJson } from '../canonical.ts'

export interface MapsRequest {
  readonly target?: TargetRequest | null
  readonly targets?: readonly TargetRequest[] | null
  readonly layers?: readonly string[] | null
  /** Instead of `layers`: all of them, as `stripOf` chooses. */
  readonly allLayers?: boolean | null
}

export interface CheckedMaps {
  /** With the layer of the first map, where they name one. */
  readonly params: unknown
  /** Of the first map. */
  readonly target: Target
  /** null where there is one map alone, which `params` and `target` say. */
  readonly maps: MapsAsked | null
  /** Forward passes of all maps together. */
  readonly cost: number
}

/** The first is the main one. */
export type Targets = readonly [Target, ...Target[]]

function bad(message: string): AppError {
  return new AppError({ code: 'BAD_INPUT', message })
}

/** @throws AppError BAD_INPUT, UNKNOWN_LABEL */
export function targetsAsked({ target, targets }: MapsRequest, labels: readonly string[]): Targets {
  if ((targets ?? null) === null) return [resolveTarget(target, labels)]
  if ((target ?? null) !== null) throw bad('Give either target or targets, not both.')
  const [first, ...others] = (targets ?? []).map((one) => resolveTarget(one, labels))
  if (first === undefined) throw bad('targets is empty: name one at least, or leave it out for the predicted class.')
  const stated = [first, ...others].map(canonicalJson)
  const twice = stated.findIndex((one, at) => stated.indexOf(one) < at)
  if (twice >= 0)
    throw bad(
      `targets: number ${twice + 1} is the same as number ${stated.indexOf(stated[twice] ?? '') + 1}. Name each once.`,
    )
  return [first, ...others]
}

/** null where the parameters' one layer is meant. */
function layersAsked(
  { layers, allLayers }: MapsRequest,
  method: Method,
  params: unknown,
  facts: ModelFacts,
  targets: number,
): readonly string[] | null {
  const named = layers ?? null
  if (named === null && allLayers !== true) return null
  if (named !== null && allLayers === true) throw bad('Give either layers or allLayers, not both.')
  if (layerIn(params) !== null) throw bad('Give the layer either in params or in layers, not in both.')
  if (named === null) return stripOf(method, facts, Math.max(1, Math.floor(MOST_MAPS / targets))).map(({ id }) => id)
  if (named.length === 0) throw bad('layers is empty: name one at least, or leave it out for the default one.')
  return named
}

function withLayer(params: unknown, layer: string): unknown {
  return params !== null && typeof params === 'object' && 'layer' in params ? { ...params, layer } : params
}

/** The maps where one question and its answer would not be one by itself: one layer that the parameters can name is. */
function severalOf(
  layers: readonly string[] | null,
  targets: readonly Target[],
  method: Method,
  params: unknown,
  facts: ModelFacts,
): MapsAsked | null {
  const asked = {
    layers: layers === null ? null : tapsAt(method, layers, facts).map(({ id }) => id),
    targets: [...targets],
  }
  const count = mapCount(asked)
  if (count > MOST_MAPS)
    throw new AppError({
      code: 'BAD_INPUT',
      message: `${layers?.length ?? 1} layers for ${targets.length} targets are ${count} maps; at most ${MOST_MAPS} fit in one run. Ask for fewer, or in several runs.`,
      details: { maps: count, limit: MOST_MAPS },
    })
  if (count > 1) return asked
  const alone = placeFor(method, layerIn(params), facts)?.id ?? null
  return asked.layers === null || asked.layers[0] === alone ? null : asked
}

/**
 * Checks the layers and targets that are asked for.
 * @param params parsed by the method's schema
 * @throws AppError BAD_INPUT, UNKNOWN_LABEL, BAD_PARAMETER; METHOD_UNAVAILABLE, UNKNOWN_LAYER, NOT_DIFFERENTIABLE as `placeFor`
 */
export function askMaps(
  request: MapsRequest,
  { method, model, text }: { readonly method: Method; readonly model: CatalogueEntry; readonly text: string | null },
  params: unknown,
  targets: Targets,
  facts: ModelFacts,
): CheckedMaps {
  const { card } = model
  const outputs = { classes: card.labels.length, link: facts.link }
  for (const target of targets) checkTarget(targetFor(target, outputs), outputs)
  const layers = layersAsked(request, method, params, facts, targets.length)
  const chosen = layers?.[0] === undefined ? params : withLayer(params, layers[0])
  const maps = severalOf(layers, targets, method, chosen, facts)
  const own = placeFor(method, layerIn(chosen), facts)
  const places =
    maps === null ? targets.map((target): MapPlace => ({ tap: own, target })) : placesAt(maps, own, method, facts)
  const costAt = (tap: MapPlace['tap']): number => method.cost(chosen, costFacts(card, tap, text))
  return { params: chosen, target: targets[0], maps, cost: costOfAll(method, places, costAt) }
}
