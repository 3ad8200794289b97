/**
 * Several maps from one run: a method at several layers (the layer strip), for several targets, or both. One that reads a
 * gradient once reads it for all of them in one question; any other is asked once a layer and target.
 */
import type { Tap } from '../engine/model.ts'
import { AppError, throwIfCancelled } from '../errors.ts'
import type { ModelFacts } from '../models/facts.ts'
import type { Target } from '../target/target.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { RunContext } from './context.ts'
import type { MapsAsked } from './maps-asked.ts'
import type { NeedsPlace } from './need.ts'
import { layersFor, placeFor } from './place.ts'
import type { Reading } from './shared/reading.ts'
import { readingAt } from './shared/shared-reads.ts'
import { readLayersAndTargets, readingOf } from './shared/vary.ts'

/** Maps of one run at most. A strip shows 8 to 60 layers. */
export const MOST_MAPS = 64

/** One map that is asked for. */
export interface MapPlace {
  readonly tap: Tap | null
  readonly target: Target
}

/** What is asked of a model as a whole, or follows all its layers at once, has no layer to choose. */
function checkHasLayers(method: NeedsPlace): void {
  const [need] = method.needs
  if (need !== undefined && need.place !== 'attention') return
  const how = need === undefined ? 'explains the model as a whole' : 'follows the attention of all layers at once'
  throw new AppError({
    code: 'METHOD_UNAVAILABLE',
    message: `${method.title} ${how} and is asked at no layer by itself. Leave the layers out.`,
    details: { method: method.id },
  })
}

/**
 * The taps of the layers asked for.
 * @throws AppError as `placeFor` for each; METHOD_UNAVAILABLE for a method that is asked at none; BAD_INPUT for a layer that is
 *   asked twice, also as its tokens and as the map of them
 */
export function tapsAt(method: NeedsPlace, layers: readonly string[], facts: ModelFacts): readonly Tap[] {
  checkHasLayers(method)
  const taps = layers.map((layer) => placeFor(method, layer, facts)).filter((tap) => tap !== null)
  const twice = taps.findIndex((tap, at) => taps.indexOf(tap) < at)
  if (twice < 0) return taps
  const first = layers[taps.indexOf(taps[twice] as Tap)]
  const again = layers[twice]
  throw new AppError({
    code: 'BAD_INPUT',
    message: `layers: ${first === again ? `"${String(first)}" is asked for twice` : `"${String(first)}" and "${String(again)}" are the same map`}. Name each once.`,
  })
}

/**
 * The maps asked for, by layer, then by target.
 * @param own where the method is asked when no layers are named
 * @throws AppError as {@link tapsAt}
 */
export function placesAt(
  { layers, targets }: MapsAsked,
  own: Tap | null,
  method: NeedsPlace,
  facts: ModelFacts,
): readonly MapPlace[] {
  // prettier-ignore
  const taps = layers === null ? [own] : tapsAt(method, layers, facts)
  return taps.flatMap((tap) => targets.map((target) => ({ tap, target })))
}

/** What makes a tap the last word of the layer before it: the same map, rectified or normalised. */
const ENDS_A_LAYER: ReadonlySet<Tap['kind']> = new Set<Tap['kind']>(['activation', 'norm'])

const sameShape = (one: Tap, other: Tap): boolean => one.shape.join() === other.shape.join()

/**
 * The layers of a strip, in network order: where the method can be asked, without the picture itself; of a convolution and the
 * norm or activation right behind it, which show nearly the same map, the last; of a tensor and a map of it the map. Of more
 * than fit, as many at even distances, the first, the last and the method's own default among them.
 * @throws AppError METHOD_UNAVAILABLE for a method that is asked at no layer
 */
export function stripOf(method: NeedsPlace, facts: ModelFacts, most: number): readonly Tap[] {
  checkHasLayers(method)
  const own = placeFor(method, null, facts)
  const usable = layersFor(method, facts)
  const shown = usable.filter((tap, at) => {
    if (tap === own) return true
    const next = usable[at + 1]
    const repeatedBehind = next !== undefined && ENDS_A_LAYER.has(next.kind) && sameShape(tap, next)
    const seenAsMap = usable.some((other) => other.mapOf === tap.id)
    return tap.kind !== 'input' && !repeatedBehind && !seenAsMap
  })
  if (shown.length <= most) return shown
  const kept = new Set(Array.from({ length: most }, (_, at) => Math.round((at * (shown.length - 1)) / Math.max(1, most - 1)))) // prettier-ignore
  const place = own === null ? -1 : shown.indexOf(own)
  if (place >= 0 && !kept.has(place)) {
    const nearest = [...kept].toSorted((a, b) => Math.abs(a - place) - Math.abs(b - place))[0]
    if (nearest !== undefined) kept.delete(nearest)
    kept.add(place)
  }
  return shown.filter((_, at) => kept.has(at))
}

interface Asked<Context, Result> {
  readonly id: string
  readonly title: string
  reading?(context: Context, params: unknown): Reading
  run(context: Context, params: unknown): Promise<Result>
}

/**
 * A pass for all the targets goes through the layers once; any other method begins anew at each.
 * @param costAt of one map there
 */
export function costOfAll(
  method: { reading?: unknown },
  places: readonly MapPlace[],
  costAt: (tap: Tap | null) => number,
): number {
  // prettier-ignore
  const costs = places.map(({ tap }) => costAt(tap))
  if (method.reading === undefined) return costs.reduce((total, one) => total + one, 0)
  return Math.max(...costs) * new Set(places.map(({ target }) => JSON.stringify(target))).size
}

/** Parameters that name a layer name the one that is asked. */
function paramsAt(params: unknown, tap: Tap | null): unknown {
  const named = params !== null && typeof params === 'object' && 'layer' in params && tap !== null
  return named ? { ...params, layer: tap.id } : params
}

/**
 * A method's results at several places, each what the method alone gives there.
 * @param places by layer, then by target: every layer with every target
 * @param perQuestion targets that one question differentiates
 * @throws AppError CANCELLED, and whatever the method throws
 */
export async function runAt<Context extends RunContext & { readonly feeds: Readonly<Record<string, Tensor>> }, Result>(
  method: Asked<Context, Result>,
  context: Context,
  params: unknown,
  places: readonly MapPlace[],
  perQuestion: number,
): Promise<readonly Result[]> {
  const [only] = places
  if (only !== undefined && places.length === 1) return [await method.run({ ...context, ...only }, params)]
  const taps = [...new Set(places.map(({ tap }) => tap))].filter((tap) => tap !== null)
  const targets = places.slice(0, places.length / Math.max(1, taps.length)).map(({ target }) => target)
  const canRead =
    taps.length > 0 &&
    targets.every((target) => readingAt(method, { ...context, target }, paramsAt(params, context.tap)) !== null)
  const ahead = canRead
    ? await readLayersAndTargets(context, taps, targets, perQuestion, (one) =>
        readingOf(method, one, paramsAt(params, one.tap)),
      )
    : null
  const results: Result[] = []
  for (const [done, { tap, target }] of places.entries()) {
    throwIfCancelled(context.signal)
    const progress = (fraction: number): void => {
      if (ahead === null) context.progress((done + fraction) / places.length)
    }
    const at: Context = { ...context, tap, target, progress }
    const found = tap === null ? undefined : ahead?.get(tap.id)?.[done % targets.length]
    const reading = found === undefined ? undefined : method.reading?.(at, paramsAt(params, tap))
    const readAhead = found === undefined || reading === undefined ? {} : { readAhead: { feeds: context.feeds, reading, found } } // prettier-ignore
    results.push(await method.run({ ...at, ...readAhead }, paramsAt(params, tap)))
  }
  return results
}
