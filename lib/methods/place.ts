/**
 * Where in a model a method can be asked, and if nowhere, why: the one judge for the forms, the API and the run.
 *
 * A method's first need names the place it is asked at (its layer); further ones must be met somewhere in the model.
 */
import { AppError } from '../errors.ts'
import type { Tap } from '../engine/model.ts'
import { whyRefused } from '../engine/refusal.ts'
import type { Modality } from '../models/card.ts'
import type { ModelFacts } from '../models/facts.ts'
import { didYouMean, listed, quoted } from '../suggest.ts'
import type { Need, NeedsPlace, Place } from './need.ts'

interface PlaceRule {
  is(tap: Tap, facts: ModelFacts): boolean
  /** Why a layer is not one, behind "cannot be asked at the layer ...:". */
  whyNot(tap: Tap, usable: string): string
  /** For a model that has none. */
  readonly none: string
}

const NO_MAP = 'it has no height and width, so it is no spatial layer and there is no map to draw'

/** Attention weights that say nothing of a token of the input's own sequence. */
const NOT_OWN: Readonly<Record<NonNullable<Tap['looksAt']>, string>> = {
  self: 'attention weights',
  cross: 'the weights of cross-attention, of the tokens of one sequence for those of another',
  local: 'the weights of attention within windows, and what is outside of a window is not in them',
}

const PLACES: Readonly<Record<Place, PlaceRule>> = {
  input: {
    is: (tap) => tap.kind === 'input',
    whyNot: () => 'it is not the input',
    none: 'It needs an input of real numbers, and this model has none.',
  },
  'spatial-tap': {
    is: (tap) => tap.spatial,
    whyNot: () => NO_MAP,
    none: 'It needs a layer with spatial extent, and this model has none.',
  },
  'linear-head': {
    is: (tap, facts) => facts.linearHeads.includes(tap.id),
    whyNot: (tap, usable) =>
      !tap.spatial
        ? NO_MAP
        : `it works only at the layer in front of the global average pooling: ${usable}. Choose that one, or use Grad-CAM, which works at any`,
    none: 'It needs a network that ends in global average pooling and one linear layer, and this one does not. Use Grad-CAM, which works at any layer of any CNN.',
  },
  embedding: {
    is: (tap, facts) => tap.kind === 'embedding' || (facts.modality === 'text' && tap.id === facts.defaultTap),
    whyNot: () => 'it is no embedding of words',
    none: 'It needs an embedding layer, and this model has none.',
  },
  'token-grid': {
    is: (tap) => tap.grid !== undefined && tap.mapOf === undefined,
    whyNot: () => 'its tokens are no grid over the picture',
    none: 'It needs tokens that lie on a grid over the picture, as in a vision transformer, and this model has none.',
  },
  attention: {
    is: (tap) => tap.looksAt === 'self',
    whyNot: ({ looksAt }) => (looksAt === undefined ? 'it holds no attention weights' : `it holds ${NOT_OWN[looksAt]}`),
    none: 'It needs the weights by which tokens attend to the tokens of their own sequence, and this model has none.',
  },
}

/** null where nothing is in the way, else why not, as a phrase. */
function whyNotThere(tap: Tap, need: Need, facts: ModelFacts): string | null {
  const rule = PLACES[need.place]
  if (!rule.is(tap, facts)) return rule.whyNot(tap, listed(tapsFor(need, facts).map((one) => one.id)))
  return whyNoGradient(tap, need, facts)?.replace(/\.$/, '') ?? null
}

/** null where the gradient that is needed reaches a tap, else a sentence: that with which a question for it would be refused. */
function whyNoGradient(tap: Tap, { gradient, rules }: Need, { refusals }: ModelFacts): string | null {
  const refused = refusals.find((one) => one.rules === rules && one.taps.includes(tap.id))
  if (refused !== undefined) return whyRefused(refused.operators, [tap.id])
  // Bent rules are a gradient's.
  const isNeeded = gradient === true || rules !== undefined
  return isNeeded && !tap.differentiable ? (tap.reason ?? 'No gradient reaches it.') : null
}

/** Found once for the facts of a model, which never change: each run asks several times. */
const found = new WeakMap<ModelFacts, WeakMap<Need, readonly Tap[]>>()

/** The taps that meet a need, in graph order. */
function tapsFor(need: Need, facts: ModelFacts): readonly Tap[] {
  let known = found.get(facts)
  if (known === undefined) found.set(facts, (known = new WeakMap()))
  let taps = known.get(need)
  if (taps === undefined) {
    const rule = PLACES[need.place]
    taps = facts.taps.filter((tap) => rule.is(tap, facts) && whyNoGradient(tap, need, facts) === null)
    known.set(need, taps)
  }
  return taps
}

const BETWEEN_TWO =
  'It follows attention among the tokens of one text, and this model is an encoder and a decoder that attend to each other. Use a gradient method.'

/** null when the need is met somewhere, else a sentence. */
function unmet(need: Need, facts: ModelFacts): string | null {
  if (need.alone === true && facts.taps.some(({ looksAt }) => looksAt === 'cross')) return BETWEEN_TWO
  if (tapsFor(need, facts).length > 0) return null
  const places = facts.taps.filter((tap) => PLACES[need.place].is(tap, facts))
  // The latest layer has the fewest obstacles before the output: what it lacks, all lack.
  const last = places.at(-1)
  if (last === undefined) return PLACES[need.place].none
  return whyNoGradient(last, need, facts)
}

/** null when the engine has the rules, else a sentence. */
function unbent({ rules }: Need, { ruleSets }: ModelFacts): string | null {
  if (rules === undefined || ruleSets.includes(rules)) return null
  return `It needs the backward rules "${rules}", which the engine of this model does not have; it has ${listed(ruleSets)}. An ONNX file of the model may help.`
}

/** The layers a method can be asked at, in graph order; none for a method that needs no place. */
export function layersFor(method: NeedsPlace, facts: ModelFacts): readonly Tap[] {
  const [need] = method.needs
  return need === undefined ? [] : tapsFor(need, facts)
}

/** A sentence for a method that explains models of another modality than this one's. */
function whyNotRead(method: NeedsPlace, modality: Modality): string {
  const reads = modality === 'image' ? 'pictures' : 'text'
  return `${method.title} explains ${method.modality} models, and this one reads ${reads}.`
}

/** Why a method cannot run on a model at all, in a sentence for its user; null when it can. */
export function whyUnavailable(method: NeedsPlace, facts: ModelFacts): string | null {
  if (method.modality !== facts.modality) return whyNotRead(method, facts.modality)
  for (const need of method.needs) {
    const reason = unmet(need, facts) ?? unbent(need, facts)
    if (reason !== null) return reason
  }
  return null
}

/** @throws AppError METHOD_UNAVAILABLE where a method cannot run on a model at all */
export function checkAvailable(method: NeedsPlace, facts: ModelFacts): void {
  const reason = whyUnavailable(method, facts)
  if (reason === null) return
  throw new AppError({
    code: 'METHOD_UNAVAILABLE',
    message: `${method.title} cannot explain ${facts.title}. ${reason}`,
    details: { method: method.id },
  })
}

/**
 * As {@link checkAvailable}, with the parameters: what a wrapper wraps is asked at its default place.
 * @param params parsed by the method's own schema
 * @throws AppError as {@link placeFor}
 */
export function checkAsked(method: NeedsPlace, params: unknown, facts: ModelFacts): void {
  checkAvailable(method, facts)
  if (method.wraps !== undefined) placeFor(method.wraps(params), null, facts)
}

/** Ids named in one sentence; the error's details have all of them. */
const NAMED = 20

const spoken = (tap: Tap): string => (tap.label === tap.id || tap.label === '' ? tap.id : `${tap.id} (${tap.label})`)

/** The tap of this id; where a map is needed and it is seen as one, that map. */
function seenThere(need: Need, layer: string, facts: ModelFacts): Tap | undefined {
  const tap = facts.taps.find((one) => one.id === layer)
  if (tap === undefined || PLACES[need.place].is(tap, facts)) return tap
  return facts.taps.find((one) => one.mapOf === layer && PLACES[need.place].is(one, facts)) ?? tap
}

/**
 * The tap that a method is asked at.
 * @param layer a tap id; null for the model's default, or where the method cannot be asked there the last one where it can
 * @returns null for a method that needs no place
 * @throws AppError METHOD_UNAVAILABLE for the model or the layer, UNKNOWN_LAYER, NOT_DIFFERENTIABLE; with the layers to
 *   choose from in the details
 */
export function placeFor(method: NeedsPlace, layer: string | null, facts: ModelFacts): Tap | null {
  checkAvailable(method, facts)
  const [need] = method.needs
  if (need === undefined) return null
  const usable = tapsFor(need, facts)
  if (layer === null) {
    const own = usable.find((tap) => tap.id === facts.defaultTap)
    if (own !== undefined) return own
    // Words that no gradient reaches are not made up for by another table, of positions or token types.
    const words = facts.taps.find((tap) => need.place === 'embedding' && tap.id === facts.defaultTap)
    if (words?.kind !== 'embedding') return usable.at(-1) ?? null
  }
  const asked = layer ?? facts.defaultTap
  const tap = seenThere(need, asked, facts)
  const ids = usable.map((one) => one.id)
  const many = usable.length > NAMED ? `the last ${NAMED} of the ${usable.length} layers` : 'Layers'
  const choices = `${many.charAt(0).toUpperCase()}${many.slice(1)} ${method.title} can use: ${usable.slice(-NAMED).map(spoken).join(', ')}.`
  const details = { layer: asked, layers: ids }
  if (tap === undefined)
    throw new AppError({
      code: 'UNKNOWN_LAYER',
      message: `${facts.title} has no layer ${quoted(asked)}.${didYouMean(asked, ids)} ${choices}`,
      details,
    })
  const why = whyNotThere(tap, need, facts)
  if (why === null) return tap
  throw new AppError({
    code: PLACES[need.place].is(tap, facts) ? 'NOT_DIFFERENTIABLE' : 'METHOD_UNAVAILABLE',
    message: `${method.title} cannot be asked at the layer ${quoted(asked)}: ${why}. ${choices}`,
    details,
  })
}

/** The layer among parsed parameters; null where the method takes none or its default is meant. */
export function layerIn(params: unknown): string | null {
  if (params === null || typeof params !== 'object' || !('layer' in params)) return null
  return typeof params.layer === 'string' ? params.layer : null
}
